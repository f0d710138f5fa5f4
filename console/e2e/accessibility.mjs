// What everybody needs who does not see the page or has no mouse. Runs in the page; returns what is wrong.
export function findBarriers(page) {
  return page.evaluate(() => {
    const problems = [];
    const visible = (element) => element.checkVisibility?.() ?? true;
    const nameOf = (element) => {
      const labelled = element.getAttribute('aria-labelledby');
      if (labelled) return labelled.split(' ').map((id) => document.getElementById(id)?.textContent ?? '').join(' ');
      const labels = Array.from(element.labels ?? [], (label) => label.textContent).join(' ');
      return element.getAttribute('aria-label') ?? (labels || element.textContent || '');
    };
    for (const element of document.querySelectorAll('a, button, input, select, textarea, [role=img], [role=tab], dialog')) {
      if (visible(element) && nameOf(element).trim() === '') problems.push(`no name: ${element.outerHTML.slice(0, 120)}`);
    }
    for (const image of document.querySelectorAll('img')) {
      if (!image.hasAttribute('alt')) problems.push(`no alt: ${image.src}`);
    }
    const ids = Array.from(document.querySelectorAll('[id]'), (element) => element.id);
    for (const id of ids.filter((each, i) => ids.indexOf(each) !== i)) problems.push(`id twice: ${id}`);
    for (const element of document.querySelectorAll('[aria-labelledby], [aria-describedby], [aria-controls]')) {
      for (const attribute of ['aria-labelledby', 'aria-describedby', 'aria-controls']) {
        for (const id of (element.getAttribute(attribute) ?? '').split(' ').filter(Boolean)) {
          if (!document.getElementById(id)) problems.push(`${attribute} names nothing: ${id}`);
        }
      }
    }
    if (document.querySelectorAll('h1').length !== 1) problems.push('a page has one h1');
    if (document.querySelectorAll('main').length !== 1) problems.push('a page has one main');
    if (!document.documentElement.lang) problems.push('no language');
    if (document.documentElement.scrollWidth > window.innerWidth + 1) problems.push('the page is wider than the window');
    return problems.concat(contrastProblems());

    // WCAG 2.2, 1.4.3: 4.5 to 1 between text and what is behind it.
    function contrastProblems() {
      const parse = (color) => (color.match(/[\d.]+/g) ?? []).map(Number);
      const luminance = (rgb) => {
        const [r, g, b] = rgb.slice(0, 3).map((c) => (c / 255 <= 0.04045 ? c / 255 / 12.92 : ((c / 255 + 0.055) / 1.055) ** 2.4));
        return 0.2126 * r + 0.7152 * g + 0.0722 * b;
      };
      const behind = (element) => {
        for (let at = element; at; at = at.parentElement) {
          const color = parse(getComputedStyle(at).backgroundColor);
          if (color.length === 3 || color[3] === 1) return color;
        }
        return [255, 255, 255];
      };
      const found = new Set();
      for (const element of document.querySelectorAll('main *, .side *, .toast *')) {
        const text = Array.from(element.childNodes).some((node) => node.nodeType === 3 && node.textContent.trim() !== '');
        if (!text || !visible(element) || element.closest(':disabled, .console-screen, svg')) continue;
        const [a, b] = [luminance(parse(getComputedStyle(element).color)), luminance(behind(element))];
        const ratio = (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05);
        if (ratio < 4.5) found.add(`contrast ${ratio.toFixed(1)}: ${element.tagName} ${element.className}`);
      }
      return [...found];
    }
  });
}
