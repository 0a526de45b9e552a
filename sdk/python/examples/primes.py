"""Work for the CPU in processes, from the command line, and its producer.

    tidemill server &
    python -m tidemill worker primes --processes --slots 2 &
    python primes.py
"""
from tidemill import Client, Context, task


@task("primes")
def primes(input, ctx: Context):
    """How many primes there are below a bound."""
    sieve = bytearray([1]) * input
    sieve[:2] = b"\0\0"
    for n in range(2, int(input ** 0.5) + 1):
        ctx.check()  # a cancelled task ends here
        if sieve[n]:
            sieve[n * n::n] = bytes(len(range(n * n, input, n)))
    return sum(sieve)


def main() -> None:
    client = Client()
    ids = [client.spawn(primes, 10 ** n) for n in range(1, 7)]
    print(*(outcome.result for outcome in client.wait_all(ids)))  # 4 25 168 1229 9592 78498


if __name__ == "__main__":
    main()
