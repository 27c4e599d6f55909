// Functions that the host calls. A filter's entry file exports those that it needs; the host does not call the others.
import { configure, createContext, deleteContext, stream, tick } from "./context";
import { forgetAnswers } from "./memory";

export { malloc } from "./memory";

export function proxy_abi_version_0_2_1(): void {}

export function proxy_on_vm_start(root: u32, size: u32): u32 {
  return 1;
}

export function proxy_on_context_create(id: u32, root: u32): void {
  forgetAnswers();
  createContext(id, root);
}

export function proxy_on_configure(root: u32, size: u32): u32 {
  forgetAnswers();
  return configure(root, size) ? 1 : 0;
}

export function proxy_on_tick(root: u32): void {
  forgetAnswers();
  tick(root);
}

export function proxy_on_request_headers(id: u32, headers: u32, end_of_stream: u32): u32 {
  forgetAnswers();
  const context = stream(id);
  return context === null ? 0 : context.onRequestHeaders(headers, end_of_stream != 0);
}

export function proxy_on_response_headers(id: u32, headers: u32, end_of_stream: u32): u32 {
  forgetAnswers();
  const context = stream(id);
  return context === null ? 0 : context.onResponseHeaders(headers, end_of_stream != 0);
}

export function proxy_on_new_connection(id: u32): u32 {
  forgetAnswers();
  const context = stream(id);
  if (context !== null) context.onNewConnection();
  return 0;
}

export function proxy_on_log(id: u32): void {
  forgetAnswers();
  const context = stream(id);
  if (context !== null) context.onLog();
}

export function proxy_on_done(id: u32): u32 {
  return 1;
}

export function proxy_on_delete(id: u32): void {
  deleteContext(id);
}
