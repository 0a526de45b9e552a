"""A producer and a worker in one program: handlers in threads.

    tidemill server &
    python squares.py
"""
import threading

from tidemill import Client, Worker, task


@task("square", retry={"max_attempts": 5}, timeout=30)
def square(input):
    return input["n"] ** 2


def main() -> None:
    client = Client()  # TIDEMILL_SERVER, or http://127.0.0.1:7117
    worker = Worker(client, slots=2).add(square)
    working = threading.Thread(target=worker.run)
    working.start()
    # With a key a task is spawned once, however often this is tried.
    ids = client.spawn_many({"kind": "square", "input": {"n": n}, "idempotency_key": f"square-{n}"}
                            for n in range(100))
    print(sum(outcome.result for outcome in client.wait_all(ids)))  # 328350
    worker.stop()
    working.join()


if __name__ == "__main__":
    main()
