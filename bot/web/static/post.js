// What every request that changes something carries: JSON, and the page's own proof that it asks.
export const headers = {
  "Content-Type": "application/json",
  "X-CSRF-Token": document.querySelector('meta[name="csrf"]')?.content ?? "",
};
