"""The protocols through which the engine meets the world: providers, stores and consumers.

Every method is one exchange with the other side, under connect and read deadlines that sum to less than
`CALL_DEADLINE_S`. It returns, or raises `Rejected`, `Unavailable` or `Uncertain`; nothing else. No method sleeps
or retries by itself: the flow decides when to ask again.
"""
