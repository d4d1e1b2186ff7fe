// Asks where the page came from whether there is a newer one, and takes its main part.
let known = null;
async function look() {
  try {
    const state = await (await fetch("state")).text();
    if (known !== null && state !== known) {
      const page = new DOMParser().parseFromString(await (await fetch(".")).text(), "text/html");
      const chosen = [...document.querySelectorAll("input:checked")].map((one) => one.id);
      document.querySelector("main").replaceWith(page.querySelector("main"));
      document.title = page.title;
      for (const id of chosen) document.getElementById(id)?.click();
    }
    known = state;
  } catch {
    // whoever served it has ended; what there is stays
  }
  setTimeout(look, 2000);
}
look();
