/** Rows of the table on one page. */
export const PAGE_ROWS = 50;

/**
 * The page's one script: it makes the table sortable, filterable and paged. Without it the first rows stand there as
 * they are. It moves the rows that the page holds and makes no HTML of its own, so that nothing in them can become code.
 */
export const SCRIPT = `(() => {
  'use strict';
  const byId = (id) => document.getElementById(id);
  const table = byId('activities');
  if (!table) return;
  const body = table.tBodies[0];
  const rows = [...body.rows, ...byId('more-rows').content.querySelectorAll('tr')].map((row, order) => ({
    row,
    order,
    type: row.dataset.type,
    status: row.dataset.status,
    failed: row.dataset.errors !== undefined,
    text: row.textContent.toLowerCase(),
  }));
  const headings = [...table.tHead.rows[0].cells];
  const [search, type, status, failed] = ['search', 'type', 'status', 'errors-only'].map(byId);
  const [shown, pageText, previous, next, none] = ['shown', 'page', 'previous', 'next', 'none'].map(byId);
  const whole = new Intl.NumberFormat('en-US');
  const collator = new Intl.Collator('en', { numeric: true });
  let sorted = rows;
  let found = rows;
  let page = 0;

  const keyOf = (item, column, kind) => {
    const cell = item.row.cells[column];
    const value = cell.dataset.value ?? cell.textContent;
    return value === '' ? undefined : kind === 'number' ? Number(value) : value;
  };

  const sort = (column, direction) => {
    const kind = headings[column].dataset.sort;
    const sign = direction === 'ascending' ? 1 : -1;
    const keyed = rows.map((item) => [keyOf(item, column, kind), item]);
    keyed.sort(([a, itemA], [b, itemB]) => {
      const missing = (a === undefined) - (b === undefined);
      if (missing !== 0) return missing;
      const compared = a === undefined ? 0 : kind === 'number' ? a - b : collator.compare(a, b);
      return sign * compared || itemA.order - itemB.order;
    });
    sorted = keyed.map(([, item]) => item);
    for (const heading of headings) heading.removeAttribute('aria-sort');
    headings[column].setAttribute('aria-sort', direction);
  };

  const render = () => {
    const size = ${PAGE_ROWS};
    const pages = Math.max(1, Math.ceil(found.length / size));
    page = Math.min(page, pages - 1);
    const from = page * size;
    const part = found.slice(from, from + size);
    body.replaceChildren(...part.map((item) => item.row));
    none.hidden = found.length > 0;
    const count = found.length === rows.length
      ? whole.format(rows.length)
      : whole.format(found.length) + ' found, of ' + whole.format(rows.length);
    shown.textContent = part.length === 0
      ? '0 found, of ' + whole.format(rows.length)
      : 'Rows ' + whole.format(from + 1) + '–' + whole.format(from + part.length) + ' of ' + count;
    pageText.textContent = 'Page ' + whole.format(page + 1) + ' of ' + whole.format(pages);
    previous.disabled = page === 0;
    next.disabled = page === pages - 1;
  };

  const filter = () => {
    const words = search.value.toLowerCase().split(/\\s+/).filter((word) => word !== '');
    found = sorted.filter((item) =>
      (type.value === '' || item.type === type.value) &&
      (status.value === '' || item.status === status.value) &&
      (!failed.checked || item.failed) &&
      words.every((word) => item.text.includes(word)));
    page = 0;
    render();
  };

  const turn = (by) => {
    page += by;
    render();
    byId('list').scrollIntoView({ block: 'start' });
  };

  headings.forEach((heading, column) => {
    const button = document.createElement('button');
    button.type = 'button';
    button.append(...heading.childNodes);
    heading.append(button);
    button.addEventListener('click', () => {
      const now = heading.getAttribute('aria-sort');
      const first = heading.dataset.sort === 'number' ? 'descending' : 'ascending';
      sort(column, now === null ? first : now === 'ascending' ? 'descending' : 'ascending');
      filter();
    });
  });
  for (const control of [search, type, status, failed]) control.addEventListener('input', filter);
  byId('filters').addEventListener('submit', (event) => event.preventDefault());
  byId('filters').addEventListener('reset', () => setTimeout(filter));
  previous.addEventListener('click', () => turn(-1));
  next.addEventListener('click', () => turn(1));
  byId('without-script').remove();
  byId('filters').hidden = false;
  byId('pager').hidden = false;
  filter();
})();
`;
