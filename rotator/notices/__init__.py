"""What people are told of incidents: which events there are, in which words, and how each kind of channel is reached.

`event.py` names what can happen, `phrases.py` says it, `wording.py` makes a message of that, `slack.py` and `mail.py`
send it. Which event goes to which channel, and what was sent, is the ledger's (`ledger/notices.py`); `notifying.py`
does it while a dispatcher leads.
"""
