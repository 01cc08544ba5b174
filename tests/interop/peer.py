"""Answers JSON requests, one per line: signs, verifies and measures with PyJWT, and draws QR codes
with segno, like an application that does not use Latchkey."""

import io
import json
import sys
import time

import jwt
import segno


def sign(request):
    return {"code": jwt.encode(request["claims"], request["secret"], algorithm=request["algorithm"])}


def verify(request):
    return {"claims": jwt.decode(request["code"], request["secret"], algorithms=[request["algorithm"]])}


def bench(request):
    secret, claims, text = request.get("secret"), request.get("claims"), request.get("text")
    code = jwt.encode(claims, secret, algorithm="HS256") if claims else None
    work = {
        "sign": lambda: jwt.encode(claims, secret, algorithm="HS256"),
        "verify": lambda: jwt.decode(code, secret, algorithms=["HS256"]),
        "qr_svg": lambda: segno.make_qr(text, error="m", boost_error=False).save(io.BytesIO(), kind="svg"),
        "qr_png": lambda: segno.make_qr(text, error="m", boost_error=False).save(io.BytesIO(), kind="png", scale=8),
    }[request["what"]]
    iterations = request["iterations"]
    start = time.perf_counter()
    for _ in range(iterations):
        work()
    return {"per_second": iterations / (time.perf_counter() - start)}


for line in sys.stdin:
    request = json.loads(line)
    try:
        answer = {"sign": sign, "verify": verify, "bench": bench}[request["op"]](request)
    except Exception as error:  # whatever the library raises is the answer
        answer = {"error": f"{type(error).__name__}: {error}"}
    print(json.dumps(answer), flush=True)
