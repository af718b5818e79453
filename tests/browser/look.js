// What is wrong with how a page looks: text outside its card or the window, text too faint on its ground (WCAG 2.2
// §1.4.3: 4.5:1, 3:1 for large type). Returns sentences.
() => {
  const problems = [];
  const numbers = (colour) => (colour.match(/[\d.]+/g) || []).map(Number);
  const luminance = ([r, g, b]) => {
    const [x, y, z] = [r, g, b].map((c) => (c / 255 <= 0.04045 ? c / 255 / 12.92 : ((c / 255 + 0.055) / 1.055) ** 2.4));
    return 0.2126 * x + 0.7152 * y + 0.0722 * z;
  };
  const groundOf = (element) => {
    for (let one = element; one; one = one.parentElement) {
      const style = getComputedStyle(one);
      if (style.backgroundImage !== "none") return null;
      const [r, g, b, alpha = 1] = numbers(style.backgroundColor);
      if (alpha === 1) return [r, g, b];
      if (alpha > 0) return null; // a veil over something else: not judged
    }
    return [255, 255, 255];
  };
  const texts = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  for (let text = texts.nextNode(); text; text = texts.nextNode()) {
    const element = text.parentElement;
    if (!text.nodeValue.trim() || !element.checkVisibility() || element.closest("script, option, .skip")) continue;
    const range = document.createRange();
    range.selectNodeContents(text);
    const box = range.getBoundingClientRect();
    const room = (element.closest(".card, .top, .banner") || document.body).getBoundingClientRect();
    const said = `"${text.nodeValue.trim().slice(0, 30)}"`;
    if (box.left < room.left - 1 || box.right > room.right + 1) problems.push(`${said} leaves its card`);
    const ground = groundOf(element);
    if (!ground || element.closest(":disabled")) continue;
    const style = getComputedStyle(element);
    const [light, dark] = [luminance(numbers(style.color)), luminance(ground)].sort((a, b) => b - a);
    const contrast = (light + 0.05) / (dark + 0.05);
    const large = parseFloat(style.fontSize) >= (style.fontWeight >= 700 ? 18.66 : 24);
    if (contrast < (large ? 3 : 4.5)) problems.push(`${said} has a contrast of ${contrast.toFixed(1)} only`);
  }
  if (document.documentElement.scrollWidth > window.innerWidth) problems.push("the page is wider than its window");
  return problems;
}
