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
from .client import Client, Outcome, ServerError, TaskFailed, Unavailable
from .worker import Attempt, Failure, Worker

__all__ = ["Attempt", "Client", "Failure", "Outcome", "ServerError", "TaskFailed", "Unavailable",
           "Worker"]
__version__ = "0.1.0"
