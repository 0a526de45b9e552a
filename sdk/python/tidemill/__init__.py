"""Producers and workers of a Tidemill server. Standard library only.

    from tidemill import Client, Worker

    client = Client("http://127.0.0.1:7117")
    worker = Worker(client, slots=2)

    @worker.task("resize")
    def resize(input):
        return {"bytes": shrink(input["file"])}

    worker.run()                                  # in one process

    task = client.spawn("resize", {"file": "a.png"}, idempotency_key="a.png")   # in another
    print(client.wait(task).result)
"""
from .aio import AsyncClient
from .client import Client
from .context import Context
from .errors import (Cancelled, Failure, Malformed, NotSendable, ServerError, TaskCancelled,
                     TaskFailed, TidemillError, Unavailable)
from .executor import Executor, TaskFuture
from .handlers import task
from .tasks import Outcome, Retry, TaskSpec
from .worker import Worker

__all__ = ["AsyncClient", "Cancelled", "Client", "Context", "Executor", "Failure", "Malformed",
           "NotSendable", "Outcome", "Retry", "ServerError", "TaskCancelled", "TaskFailed",
           "TaskFuture", "TaskSpec", "TidemillError", "Unavailable", "Worker", "task"]
__version__ = "0.1.0"
