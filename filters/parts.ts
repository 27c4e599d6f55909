/** Which of the three filters a module is: the node's has all of them. Said by its entry file, before anything is configured. */
class Parts {
  telemetry: bool = false;
  auth: bool = false;
  retry: bool = false;
}

export const parts = new Parts();
