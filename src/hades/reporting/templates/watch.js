// Asks where the page came from whether there is a newer one, and takes its main part.
let known = null;
async function got(place) {
  const answer = await fetch(place);
  if (!answer.ok) throw new Error(answer.statusText); // the run is being written, or is gone
  return answer.text();
}
async function look() {
  try {
    const state = await got("state");
    if (known !== null && state !== known) {
      const page = new DOMParser().parseFromString(await got("."), "text/html");
      const chosen = [...document.querySelectorAll("input:checked")].map((one) => one.id);
      document.querySelector("main").replaceWith(page.querySelector("main"));
      document.title = page.title;
      for (const id of chosen) document.getElementById(id)?.click();
    }
    known = state;
  } catch {
    // whoever served it has ended, or has nothing to give just now; what there is stays
  }
  setTimeout(look, 2000);
}
look();
