"""One process of the hammer: a server of somebody's product."""

import random

from books import Books, Request, check, grant
from sender import Sender


class Client:
    """One process: a server of somebody's product that does a number of operations at random."""

    def __init__(self, options, accounts, number):
        self.chance = random.Random(options.seed * 1_000_003 + number)
        self.books = Books()
        self.sender = Sender(options, self.books, self.chance, careless=True)
        self.accounts, self.number, self.sequence = accounts, number, 0
        self.mine, self.spends, self.done = [], [], []

    def key(self):
        self.sequence += 1
        return f"work-{self.number}-{self.sequence}"

    def debit(self):
        account, body = self.chance.choice(self.accounts), {"credits": self.chance.randint(1, 40)}
        if self.chance.random() < 0.3:
            body.update(onShortfall="cap", minimumCredits=self.chance.randint(0, body["credits"]))
        return Request("debit", f"/accounts/{account}/credits/debits", body, account, self.key())

    def operate(self):
        kinds = ["debit", "hold", "capture", "release", "extend", "refund", "batch", "grant", "look", "repeat", "twice"]
        getattr(self, f"op_{self.chance.choices(kinds, [30, 20, 16, 3, 6, 6, 6, 3, 4, 5, 4])[0]}")()
        self.books.add("operations")

    def op_debit(self):
        self.remember(request := self.debit(), self.sender.do(request))

    def op_twice(self):
        self.remember(request := self.debit(), self.sender.do_twice_at_once(request))

    def remember(self, request, made):
        if made:
            self.done.append((request, made["id"]))
            self.spends.append((made["id"], made["accountId"], made["credits"]))

    def op_batch(self):
        requests = [self.debit() for _ in range(self.chance.randint(1, 20))]
        self.books.add("debits in batches", len(requests))
        self.spends += [(made["id"], made["accountId"], made["credits"]) for made in self.sender.batch(requests)]

    def op_hold(self):
        account, body = self.chance.choice(self.accounts), {"credits": self.chance.randint(1, 60)}
        if self.chance.random() < 0.5:
            body["minimumCredits"] = self.chance.randint(1, body["credits"])
        if self.chance.random() < 0.2:
            body["expiresInSeconds"] = self.chance.randint(1, 3)  # its capture will often come late
        made = self.sender.do(Request("hold", f"/accounts/{account}/credits/holds", body, account, self.key()))
        if made:
            self.mine.append((made["id"], account, made["credits"]))

    def take_hold(self):
        return self.mine.pop(self.chance.randrange(len(self.mine))) if self.mine else None

    def op_capture(self):
        if not (hold := self.take_hold()):
            return self.op_hold()
        identity, account, held = hold
        less, more = self.chance.randint(0, held), held + self.chance.randint(1, 30)
        body = {"credits": self.chance.choice([0, held, less, more])}
        if self.chance.random() < 0.2:
            body["onShortfall"] = "reject"
        request = Request("capture", f"/credits/holds/{identity}/capture", body, account, hold=identity)
        self.remember(request, made := self.sender.do(request))
        if made is None and request not in self.books.open_questions:
            self.mine.append(hold)  # it was left as it was

    def op_release(self):
        if not (hold := self.take_hold()):
            return self.op_hold()
        self.sender.do(Request("release", f"/credits/holds/{hold[0]}/release", {}, hold[1], hold=hold[0]))

    def op_extend(self):
        if not self.mine:
            return self.op_hold()
        identity, account, held = self.chance.choice(self.mine)
        body = {"credits": held + self.chance.randint(1, 30)}
        self.sender.do(Request("extend", f"/credits/holds/{identity}/extend", body, account, hold=identity))

    def op_refund(self):
        if not self.spends:
            return self.op_debit()
        spend, account, credits = self.chance.choice(self.spends)
        body = {}  # everything that is left
        if credits and self.chance.random() < 0.7:
            body = {"credits": self.chance.randint(1, credits), "reason": "Not good"}
        self.sender.do(Request("refund", f"/credits/debits/{spend}/refunds", body, account, self.key(), spend=spend))

    def op_grant(self):
        account = self.chance.choice(self.accounts)
        self.sender.do(grant(account, self.chance.randint(1, 120), self.key()))

    def op_look(self):
        account = self.chance.choice(self.accounts)
        seen = self.sender.ask(f"/accounts/{account}/credits")
        check(seen["remainingCredits"] - seen["heldCredits"] == seen["availableCredits"] >= 0, f"{seen}")

    def op_repeat(self):
        """An answer that came long ago comes again."""
        if not self.done:
            return self.op_debit()
        request, identity = self.chance.choice(self.done)
        made = self.sender.do(request)
        check(made and made["id"] == identity, f"{identity} was repeated and is now {made}")
        self.books.add("repeated much later")


def work(options, accounts, number, done, results):
    client = Client(options, accounts, number)
    error = None
    try:
        for _ in range(options.operations):
            client.operate()
            with done.get_lock():
                done.value += 1
    except Exception as wrong:  # whatever it is, the report has it
        error = f"process {number}: {type(wrong).__name__}: {wrong}"
    results.put((client.books, error))
