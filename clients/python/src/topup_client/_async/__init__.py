"""The client for asyncio and trio. The folder `_sync` is made from this one by `scripts/generate.py`."""
