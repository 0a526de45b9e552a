"""The architecture as data: which room may include which, and which may include a library.

docs/architecture.md quotes the first table; layers.py compares the two and checks the sources."""

ROOMS = {  # room: the rooms it may include
    "base": "",
    "model": "base",
    "os": "base",
    "playbook": "base model",
    "study": "base model",
    "ledger": "base model",
    "wire": "base model",
    "machine": "base model playbook study",
    "store": "base model os",
    "blob": "base model os",
    "net": "base os",
    "engine": "base model machine playbook study ledger store blob os",
    "client": "base model wire net os",
    "sdk": "base model wire net client os",
    "api": "base model wire machine engine net",
    "worker": "base model wire playbook client blob os",
    "cli": "base model wire playbook study ledger client os",
    "main": "*",
}

# Of these rooms only the named headers may be included by the other.
NARROW_DOORS = {("api", "machine"): {"machine/command.h", "machine/reply.h"}}

# No clock, I/O, thread, entropy, nor libm function that differs between machines.
PURE = {"model", "playbook", "study", "ledger", "wire", "machine"}

# Where a header of a library or of the system may be included: rooms, folders or files.
HEADERS = {
    "sqlite3.h": "store/sqlite worker/tools",
    "libpq-fe.h": "store/postgres worker/tools",
    "yaml.h": "playbook",
    "simdjson.h": "wire",
    "nlohmann/": "api cli",
    "boost/": "net",
    "openssl/": "net base/hash.cc",
    "xxhash.h": "base/hash.cc",
    "curl/": "worker/tools blob/object",
    "zstd.h": "store blob",
    "CLI/": "cli",
    "toml++/": "cli",
    # os/ is the only room that asks the machine; net/ adds the sockets.
    "thread": "os",
    "mutex": "os",
    "shared_mutex": "os",
    "condition_variable": "os",
    "random": "os",
    "pthread.h": "os",
    "csignal": "os",
    "signal.h": "os",
    "unistd.h": "os net",
    "fcntl.h": "os net",
    "poll.h": "os net",
    "netdb.h": "os net",
    "sys/": "os net",
    "netinet/": "os net",
    "arpa/": "os net",
}


def table() -> str:
    """The table as docs/architecture.md quotes it."""
    return "".join(f"{room:<9}→ {allowed}".rstrip() + "\n" for room, allowed in ROOMS.items())


if __name__ == "__main__":
    print(table(), end="")
