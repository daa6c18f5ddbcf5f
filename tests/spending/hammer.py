#!/usr/bin/env python3
"""Spends from shared accounts as somebody else's servers would, and compares the books with what it was told.

    hammer.py --server URL --server URL --key KEY --admin KEY_OR_TOKEN [--processes 64] [--operations 200]

Uses only the HTTP API and Python's standard library, and knows nothing of how Topup works inside. Gives credits to new
accounts, and lets many processes debit, hold, extend, capture, release, refund and send batches, all on the same
accounts. Connections are cut before, while and after a request is sent; answers are thrown away; requests are sent
twice at once; servers may be killed meanwhile. Each request is repeated with its key until its answer is known.

A refusal is not stored. So a request that was refused after an attempt without an answer may still be done: that
attempt may be on its way. Such requests are asked again at the end, when nothing is on its way any more: the script
writes `quiet`, and goes on when it gets a line on standard input (or at once with --no-wait).

At the end every account must have exactly what was given minus what the answers said, to the credit; every ledger must
add up to its balance; and its spends, refunds and open holds must be those that the answers named, no more and no less.
Writes `progress N/20` while it works, then `quiet`, `asked`, `compared N/ACCOUNTS` and a `report` as JSON. Ends with 0
if everything agrees, otherwise with 1.
"""

import argparse
import json
import multiprocessing
import queue
import random
import sys
import time
import uuid

from books import Books, check, grant
from client import work
from compare import compare
from sender import Sender

STEPS = 20


def hammer(options, accounts, books):
    """Runs all processes and merges what they were told. Returns what went wrong."""
    done, results = multiprocessing.Value("q", 0), multiprocessing.Queue()
    arguments = [(options, accounts, number, done, results) for number in range(options.processes)]
    processes = [multiprocessing.Process(target=work, args=each, daemon=True) for each in arguments]
    for process in processes:
        process.start()
    total, step, wrong, ended = options.processes * options.operations, 0, [], 0
    while ended < len(processes):
        try:
            theirs, error = results.get(timeout=0.05)
            books.merge(theirs)
            wrong += [error] if error else []
            ended += 1
        except queue.Empty:
            check(all(process.exitcode in (None, 0) for process in processes), "a process died")
        while step < STEPS and (done.value * STEPS >= (step + 1) * total or ended == len(processes)):
            step += 1
            print(f"progress {step}/{STEPS}", flush=True)
    return wrong


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--server", action="append", required=True, help="the URL of a server; give it twice for two")
    parser.add_argument("--key", required=True, help="an API key with the scopes spend and read")
    parser.add_argument("--admin", required=True, help="an API key with the scope admin, or an operator's token")
    parser.add_argument("--processes", type=int, default=64)
    parser.add_argument("--operations", type=int, default=200, help="of each process")
    parser.add_argument("--accounts", type=int, default=12)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--no-wait", action="store_true", help="wait for nobody when it is quiet")
    options = parser.parse_args()
    started, books = time.monotonic(), Books()
    run = uuid.uuid4().hex[:8]
    accounts = [f"hammer-{run}-{number}" for number in range(options.accounts)]
    sender = Sender(options, books, random.Random(options.seed), careless=False)
    for account in accounts:
        for number in range(15):  # more grants than a spend of the fast path takes from
            check(sender.do(grant(account, 20 + 7 * number, f"first-{number}")), "a grant was refused")
    wrong = hammer(options, accounts, books)
    print("quiet", flush=True)
    if not options.no_wait:
        sys.stdin.readline()
    questions, books.open_questions = books.open_questions, []
    for request in questions:
        sender.do(request)
    print("asked", flush=True)
    differences = []
    for number, account in enumerate(accounts, 1):
        differences += compare(sender, books, account)
        print(f"compared {number}/{len(accounts)}", flush=True)
    report = {
        "agrees": not wrong and not differences, "seconds": round(time.monotonic() - started, 1),
        "processes": options.processes, "accounts": len(accounts), "spends": len(books.spends),
        "refunds": len(books.refunds), "grants": len(books.grants), "holds": len(books.holds),
        "given": sum(fact[1] for fact in books.grants.values()),
        "spent": sum(fact[1] for fact in books.spends.values()),
        "givenBack": sum(fact[2] for fact in books.refunds.values()), "askedAgainAtTheEnd": len(questions),
        **dict(sorted(books.count.items())), "wrong": wrong[:20], "differences": differences[:20],
    }
    print("report " + json.dumps(report), flush=True)
    sys.exit(0 if report["agrees"] else 1)


if __name__ == "__main__":
    main()
