// Wide tables scroll: also by the keyboard. The theme wraps them once the page is there.
const reachable = () => {
  for (const table of document.querySelectorAll(".md-typeset__scrollwrap")) table.tabIndex = 0
}
new MutationObserver(reachable).observe(document.body, { childList: true, subtree: true })
reachable()
