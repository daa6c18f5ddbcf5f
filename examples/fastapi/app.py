"""An app that sells credits, and charges a streamed answer of a language model by hold and capture.

`./run` starts it against `topup dev`. It needs TOPUP_URL and TOPUP_API_KEY (scopes `checkout,read,spend`), PUBLIC_URL,
which is its own address, and TOPUP_WEBHOOK_SECRET if Topup shall send it webhooks.
"""

from __future__ import annotations

import logging
import os
import uuid
from contextlib import asynccontextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, cast

import model
from fastapi import Body, Cookie, Depends, FastAPI, HTTPException, Request, Response
from fastapi.responses import FileResponse, JSONResponse, StreamingResponse

from topup_client import AsyncTopup, TopupError, WebhookVerificationError, verify_webhook

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator

# A word costs one credit.
FIRST_HOLD = 40
LEAST_HOLD = 5
MORE = 40

log = logging.getLogger("uvicorn.error")


@asynccontextmanager
async def lifespan(app: FastAPI) -> AsyncGenerator[None]:
    """One client for all requests: it keeps its connections."""
    async with AsyncTopup(os.environ["TOPUP_URL"], api_key=os.environ["TOPUP_API_KEY"]) as topup:
        app.state.topup = topup
        yield


app = FastAPI(title="Words for credits", lifespan=lifespan)


def client(request: Request) -> AsyncTopup:
    """The client of Topup."""
    return cast("AsyncTopup", request.app.state.topup)


def signed_in(user: Annotated[str | None, Cookie()] = None) -> str:
    """The customer, which is also the account at Topup. Here a random cookie; in your app, your login."""
    if not user:
        raise HTTPException(401, "open the page first")
    return user


Client = Annotated[AsyncTopup, Depends(client)]
User = Annotated[str, Depends(signed_in)]


@app.exception_handler(TopupError)
async def refused(_request: Request, error: TopupError) -> JSONResponse:
    """Tell the page what Topup says. `code` is stable, so the page can act on it."""
    told = {"code": error.code, "detail": error.detail, "availableCredits": error.available_credits}
    return JSONResponse(told, status_code=error.status or 503)


@app.get("/")
async def page(user: Annotated[str | None, Cookie()] = None) -> FileResponse:
    """The page, with an account for who comes the first time."""
    answer = FileResponse(Path(__file__).with_name("page.html"))
    if not user:
        answer.set_cookie("user", f"user_{uuid.uuid4().hex}", httponly=True, samesite="lax")
    return answer


@app.get("/api/balance")
async def balance(topup: Client, user: User) -> dict[str, int]:
    """What the customer has."""
    credits = await topup.balance(user)
    return {"available": credits.available_credits, "held": credits.held_credits}


@app.get("/api/quote")
async def quote(topup: Client, credits: int) -> dict[str, int | str]:
    """What credits cost."""
    told = await topup.quote(credits)
    return {"total": told.total_amount, "fee": told.fee_amount, "currency": told.currency}


@app.post("/api/checkouts")
async def create_checkout(topup: Client, user: User, credits: Annotated[int, Body(embed=True)]) -> dict[str, str]:
    """Begin a purchase. The page then goes to `url`."""
    back = os.environ["PUBLIC_URL"]
    checkout = await topup.create_checkout(
        user, credits, success_url=f"{back}/?checkout={{CHECKOUT_SESSION_ID}}", cancel_url=back
    )
    return {"url": checkout.url}


@app.get("/api/checkouts/{checkout_id}")
async def get_checkout(topup: Client, user: User, checkout_id: str) -> dict[str, str]:
    """What became of a purchase. The customer's return proves nothing; `paid` does."""
    checkout = await topup.get_checkout(checkout_id)
    if checkout.account_id != user:
        raise HTTPException(404, "there is no such purchase")
    return {"state": checkout.state}


@app.post("/api/answers")
async def answer(
    topup: Client, user: User, prompt: Annotated[str, Body()], request_id: Annotated[str, Body(alias="requestId")]
) -> StreamingResponse:
    """Stream an answer. The page names each of its requests, so that a repeated one is not held twice."""
    words = paid_words(topup, user, prompt, request_id)
    # The first, empty piece comes when the credits are held. Before, a refusal can still become a status.
    await anext(words)
    return StreamingResponse(words, media_type="text/plain; charset=utf-8")


async def paid_words(topup: AsyncTopup, user: str, prompt: str, request_id: str) -> AsyncGenerator[str]:
    """Words as the model writes them. Charged is what was written, also when the reader goes away."""
    hold = topup.hold(user, FIRST_HOLD, minimum_credits=LEAST_HOLD, operation="answer", idempotency_key=request_id)
    async with hold:
        yield ""
        async for word in model.answer(prompt):
            if hold.left == 0:
                try:
                    await hold.extend(hold.credits + MORE)
                except TopupError as error:
                    yield f"\n[{error.code}]"
                    return
            hold.use(1)
            yield word


@app.post("/webhooks/topup", status_code=204)
async def webhook(request: Request) -> Response:
    """Hear what has happened at Topup. The body is verified as it came."""
    try:
        event = verify_webhook(await request.body(), request.headers, os.environ["TOPUP_WEBHOOK_SECRET"])
    except WebhookVerificationError as error:
        raise HTTPException(400, str(error)) from error
    if event.type == "balance.low":
        log.info("remind the customer to top up: %s", event.data)
    return Response(status_code=204)
