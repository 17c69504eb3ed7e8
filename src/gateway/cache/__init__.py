"""The response cache: an answer is kept for as long as every change that touches it was seen by it. No timers."""
