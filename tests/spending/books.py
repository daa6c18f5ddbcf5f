"""What the answers of a service said, and the requests that they answer."""


class Wrong(Exception):
    """Something is not as it must be."""


def check(holds, message):
    if not holds:
        raise Wrong(message)


class Request:
    """One piece of work. It keeps its key and body, however often it is sent."""

    def __init__(self, kind, path, body, account=None, key=None, hold=None, spend=None, admin=False):
        self.kind, self.path, self.body, self.account = kind, path, body, account
        self.key, self.hold, self.spend, self.admin = key, hold, spend, admin


def grant(account, credits, key):
    body = {"credits": credits, "reason": "Credits of the hammer", "create": True}
    return Request("grant", f"/admin/accounts/{account}/grants", body, account, key, admin=True)


class Books:
    """What the answers said. Each process has its own; they are merged at the end."""

    def __init__(self):
        self.spends, self.refunds, self.grants, self.holds = {}, {}, {}, {}
        self.open_questions = []  # refused, after an attempt that got no answer
        self.count = {}

    def add(self, what, number=1):
        self.count[what] = self.count.get(what, 0) + number

    def note(self, table, identity, fact):
        known = table.setdefault(identity, fact)
        check(known == fact, f"{identity} was {known} and is now {fact}")

    def merge(self, other):
        for mine, theirs in ((self.spends, other.spends), (self.refunds, other.refunds), (self.grants, other.grants)):
            for identity, fact in theirs.items():
                check(identity not in mine, f"{identity} was answered to two requests")
                mine[identity] = fact
        self.holds.update(other.holds)
        self.open_questions += other.open_questions
        for what, number in other.count.items():
            self.add(what, number)

    def absorb(self, request, status, answer):
        """Notes a known answer. Returns what was made, or None for a refusal."""
        kind, body = request.kind, request.body
        if status in (402, 409):
            code = answer["code"]
            self.add("refusals")
            self.add(f"refused: {code}")
            if code in ("insufficient_credits", "credits_held"):
                check(answer["availableCredits"] < answer["requiredCredits"], f"refused with enough credits: {answer}")
            return None
        check(status == 200, f"{kind}: {status} {answer}")
        if kind in ("debit", "capture"):
            taken, asked = answer["credits"], answer["requestedCredits"]
            check(asked == body["credits"], f"asked for {body['credits']}, answered {asked}")
            check(taken + answer["uncollectedCredits"] == asked, f"taken and missing are not what was asked: {answer}")
            may_cap = body.get("onShortfall", "cap" if kind == "capture" else "reject") == "cap"
            check(taken == asked or may_cap, f"less was taken than asked for: {answer}")
            self.note(self.spends, answer["id"], (answer["accountId"], taken))
            if kind == "capture":
                self.holds[request.hold] = (request.account, "captured")
        elif kind == "refund":
            self.note(self.refunds, answer["id"], (answer["accountId"], answer["spendId"], answer["credits"]))
        elif kind == "grant":
            self.note(self.grants, answer["id"], (answer["accountId"], answer["credits"]))
            return answer
        elif kind == "hold":
            self.holds.setdefault(answer["id"], (answer["accountId"], "open"))
        elif kind == "release":
            self.holds[request.hold] = (request.account, "released")
        balance = answer["balance"]
        remaining, held, available = (balance[f"{name}Credits"] for name in ("remaining", "held", "available"))
        check(remaining >= held >= 0 and available == remaining - held, f"a balance that cannot be: {balance}")
        return answer
