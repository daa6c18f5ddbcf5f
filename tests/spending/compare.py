"""Compares what an account has with what the answers said."""

SPENDS_READ = 100  # of each account, besides those that were given back; the ledger is read as a whole


def pages(sender, path):
    cursor = ""
    while cursor is not None:
        page = sender.ask(f"{path}limit=100{cursor and '&cursor=' + cursor}")
        yield from page["data"]
        cursor = page["nextCursor"]


def compare(sender, books, account):
    """Compares an account with what the answers said. Yields the differences."""
    def of(table):
        return {identity: fact for identity, fact in table.items() if fact[0] == account}

    spends, refunds, grants = of(books.spends), of(books.refunds), of(books.grants)
    balance = sender.ask(f"/accounts/{account}/credits")
    expected = sum(fact[1] for fact in grants.values()) - sum(fact[1] for fact in spends.values())
    expected += sum(fact[2] for fact in refunds.values())
    if balance["remainingCredits"] != expected:
        yield f"{account} has {balance['remainingCredits']} credits, but the answers say {expected}"
    entries = list(pages(sender, f"/accounts/{account}/credits/transactions?"))
    after = balance["remainingCredits"]
    found = {}
    for entry in entries:  # newest first
        if entry["balanceAfter"] != after:
            yield f"{account}: after {entry['id']} there were {entry['balanceAfter']}, not {after}"
        after -= entry["credits"]
        source = entry["source"].split(":")[0]
        found[source] = found.get(source, 0) + entry["credits"]
    if after != 0:
        yield f"{account}: its ledger begins with {after}"
    told = {identity: fact[1] for identity, fact in grants.items()}
    told.update({identity: -fact[1] for identity, fact in spends.items() if fact[1]})
    told.update({identity: fact[2] for identity, fact in refunds.items()})
    for identity in told.keys() | found.keys():
        if told.get(identity) != found.get(identity):
            yield f"{account}: {identity} is {found.get(identity)} in the ledger, and {told.get(identity)} was answered"
    given_back = {refund[1] for refund in refunds.values()}
    for identity in [*given_back, *list(spends)[:SPENDS_READ]]:
        fact, spend = spends[identity], sender.ask(f"/credits/debits/{identity}")
        back = sum(refund[2] for refund in refunds.values() if refund[1] == identity)
        if (spend["credits"], spend["refundedCredits"]) != (fact[1], back):
            yield f"{identity} is {spend['credits']} less {spend['refundedCredits']}, not {fact[1]} less {back}"
    yield from compare_holds(sender, books, account)


def compare_holds(sender, books, account):
    known = {identity: state for identity, (owner, state) in books.holds.items() if owner == account}
    while True:  # once more, if one of them has ended meanwhile
        before = sender.ask(f"/accounts/{account}/credits")["heldCredits"]
        holds = pages(sender, f"/accounts/{account}/credits/holds?state=open&")
        listed = {hold["id"]: hold["credits"] for hold in holds}
        if before == sender.ask(f"/accounts/{account}/credits")["heldCredits"]:
            break
    if sum(listed.values()) != before:
        yield f"{account} has {before} held, and its open holds are {listed}"
    for identity, state in known.items():
        found = sender.ask(f"/credits/holds/{identity}")["state"]
        # A hold that was released after its end stays expired.
        fits = {"open": ("open", "expired"), "captured": ("captured",), "released": ("released", "expired")}[state]
        is_listed = identity in listed
        if found not in fits or (found == "open" and not is_listed) or (is_listed and state != "open"):
            yield f"{identity} is {found}, not {state}"
    if unknown := listed.keys() - known.keys():
        yield f"{account} has open holds that no answer named: {unknown}"
