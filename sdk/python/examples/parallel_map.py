"""concurrent.futures over durable tasks: functions that no handler was written for.

    tidemill server &
    python -m tidemill worker --calls math --slots 2 &
    python parallel_map.py
"""
import math

from tidemill import Client, Executor


def main() -> None:
    with Executor(Client()) as executor:
        future = executor.submit(math.comb, 50, 25)
        print(sum(executor.map(math.isqrt, range(10_000), chunksize=500)))  # 661650
        print(future.result())  # 126410606437752


if __name__ == "__main__":
    main()
