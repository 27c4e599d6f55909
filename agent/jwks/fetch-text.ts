import { request as requestHttp, type IncomingMessage } from "node:http";
import { request as requestHttps } from "node:https";
import { AmbitError, messageOf } from "../lib/errors.ts";
import { readBody } from "../lib/read-body.ts";
import { failure } from "./failure.ts";
import { hostAndPort, type Resolve, type Target } from "./resolve.ts";

/** Key sets are a few kB. */
const MAX_BYTES = 512 * 1024;
const MAX_REDIRECTS = 3;
/** How many endpoints of a Service to try. */
const MAX_TARGETS = 3;

/** The body of the answer to GET, within `timeoutMs`. Throws AmbitError, which never quotes the answer. */
export async function fetchText(url: string, timeoutMs: number, resolve: Resolve): Promise<string> {
  const signal = AbortSignal.timeout(timeoutMs);
  try {
    return await get(new URL(url), signal, resolve, MAX_REDIRECTS);
  } catch (error) {
    if (signal.aborted) throw failure(`no answer within ${timeoutMs} ms`);
    throw error instanceof AmbitError ? error : failure(messageOf(error));
  }
}

async function get(url: URL, signal: AbortSignal, resolve: Resolve, redirects: number): Promise<string> {
  const [host, port] = hostAndPort(url);
  const targets = await resolve(host, port);
  const response = await askAny(url, host, targets.slice(0, MAX_TARGETS), signal);
  const { statusCode = 0, headers } = response;
  if (statusCode >= 300 && statusCode < 400 && headers.location !== undefined) {
    response.destroy();
    return get(redirected(url, headers.location, redirects), signal, resolve, redirects - 1);
  }
  if (statusCode !== 200) {
    response.destroy();
    throw failure(`the server answers ${statusCode}`);
  }
  const body = await readBody(response, MAX_BYTES);
  if (body === undefined) throw failure(`the answer is larger than ${MAX_BYTES / 1024} kB`);
  return body;
}

function redirected(url: URL, location: string, left: number): URL {
  if (left === 0) throw failure(`more than ${MAX_REDIRECTS} redirections`);
  const next = URL.canParse(location, url.href) ? new URL(location, url) : undefined;
  if (next?.protocol === "https:" || (next?.protocol === "http:" && url.protocol === "http:")) return next;
  throw failure("it redirects to a URL that is not valid, or from https to a URL that is not https");
}

/** The answer of the first target that can be reached. */
async function askAny(
  url: URL,
  host: string,
  targets: readonly Target[],
  signal: AbortSignal,
): Promise<IncomingMessage> {
  let last: unknown = failure("the host has no known address");
  for (const target of targets) {
    try {
      return await ask(url, host, target, signal);
    } catch (error) {
      last = error;
      if (signal.aborted) break;
    }
  }
  throw last;
}

function ask(url: URL, host: string, { address, port }: Target, signal: AbortSignal): Promise<IncomingMessage> {
  const options = {
    host: address,
    port,
    path: `${url.pathname}${url.search}`,
    headers: { host: url.host, accept: "application/json", "user-agent": "ambit" },
    signal,
    agent: false,
  } as const;
  return new Promise((resolve, reject) => {
    const sent =
      url.protocol === "https:"
        ? requestHttps({ ...options, servername: host }, resolve)
        : requestHttp(options, resolve);
    sent.on("error", reject);
    sent.end();
  });
}
