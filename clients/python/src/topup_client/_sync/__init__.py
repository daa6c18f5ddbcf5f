"""The client without `await`. All files but `_runtime.py` are made from `_async` by `scripts/generate.py`."""
