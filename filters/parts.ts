/**
 * Which of the three filters a module has; the node's module has all. Its entry file sets this before any configuration
 * comes.
 */
class Parts {
  telemetry: bool = false;
  auth: bool = false;
  retry: bool = false;
}

export const parts = new Parts();
