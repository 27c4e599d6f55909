import { request } from "node:http";

export interface AdminResponse {
  readonly status: number;
  readonly body: string;
}

/** Asks Envoy's admin interface on its unix socket. Rejects where nobody answers within `timeoutMs` (default 2000). */
export function askAdmin(
  socketPath: string,
  path: string,
  { method = "GET", timeoutMs = 2_000 }: { readonly method?: "GET" | "POST"; readonly timeoutMs?: number } = {},
): Promise<AdminResponse> {
  return new Promise((resolve, reject) => {
    const call = request({ socketPath, path, method, headers: { host: "admin" }, timeout: timeoutMs }, (response) => {
      const chunks: Buffer[] = [];
      response.on("data", (chunk: Buffer) => chunks.push(chunk));
      response.on("end", () =>
        resolve({ status: response.statusCode ?? 0, body: Buffer.concat(chunks).toString("utf8") }),
      );
      response.on("error", reject);
    });
    call.on("timeout", () => call.destroy(new Error(`no answer from ${socketPath} within ${timeoutMs} ms`)));
    call.on("error", reject);
    call.end();
  });
}
