// Answers JSON requests, one per line: signs, verifies and measures with the npm libraries
// jsonwebtoken and fast-jwt, like an application that does not use Latchkey.
import { createSecretKey } from "node:crypto";
import { createInterface } from "node:readline";

import { createSigner, createVerifier } from "fast-jwt";
import jwt from "jsonwebtoken";

const answers = {
  // With `expires_in`, as in the protocol's documented example: { expiresIn: '7 days' }.
  sign({ secret, algorithm, claims, expires_in: expiresIn, no_timestamp: noTimestamp }) {
    const options = { algorithm, ...(expiresIn ? { expiresIn } : {}), ...(noTimestamp ? { noTimestamp } : {}) };
    return { code: jwt.sign(claims, secret, options) };
  },
  verify({ secret, algorithm, code }) {
    return { claims: jwt.verify(code, secret, { algorithms: [algorithm] }) };
  },
  bench({ library, what, secret, claims, iterations }) {
    // Made once, like in a fast program. A secret as text would be converted at each call.
    const key = createSecretKey(Buffer.from(secret));
    const code = jwt.sign(claims, key);
    const work = {
      "jsonwebtoken sign": () => jwt.sign(claims, key),
      "jsonwebtoken verify": () => jwt.verify(code, key, { algorithms: ["HS256"] }),
      "fast-jwt sign": fast(() => createSigner({ key: secret, algorithm: "HS256" }), claims),
      "fast-jwt verify": fast(() => createVerifier({ key: secret, algorithms: ["HS256"], cache: false }), code),
    }[`${library} ${what}`];
    for (let warm = 0; warm < iterations / 10; warm += 1) work();
    const start = process.hrtime.bigint();
    for (let done = 0; done < iterations; done += 1) work();
    return { per_second: (iterations * 1e9) / Number(process.hrtime.bigint() - start) };
  },
};

function fast(make, input) {
  const work = make();
  return () => work(input);
}

for await (const line of createInterface({ input: process.stdin })) {
  const request = JSON.parse(line);
  let answer;
  try {
    answer = answers[request.op](request);
  } catch (error) {
    answer = { error: `${error.name}: ${error.message}` };
  }
  process.stdout.write(`${JSON.stringify(answer)}\n`);
}
