// Text that leaves its card or the window, and a page wider than its window. Returns sentences.
() => {
  const problems = [];
  const texts = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  for (let text = texts.nextNode(); text; text = texts.nextNode()) {
    const element = text.parentElement;
    if (!text.nodeValue.trim() || !element.checkVisibility() || element.closest("script, option, textarea, .skip")) continue;
    const range = document.createRange();
    range.selectNodeContents(text);
    const box = range.getBoundingClientRect();
    const room = (element.closest(".card, .top, .banner") || document.body).getBoundingClientRect();
    const said = `"${text.nodeValue.trim().slice(0, 30)}"`;
    if (box.left < room.left - 1 || box.right > room.right + 1) problems.push(`${said} leaves its card`);
  }
  if (document.documentElement.scrollWidth > window.innerWidth) problems.push("the page is wider than its window");
  return problems;
}
