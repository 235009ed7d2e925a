/** Says something to those who listen to the page rather than look at it. */
export function announce(text: string): void {
  const announcer = document.querySelector('#announcer');
  if (announcer !== null) announcer.textContent = text;
}
