/**
 * The page's one script. It asks for the state, and puts what it is told into elements as text; none of it becomes HTML.
 * Elements stay where they are as long as what they show is there, so that focus and open details are kept.
 */
export const INSPECTOR_SCRIPT = `'use strict';
(() => {
  const EVERY = 1000;
  const byId = (id) => document.getElementById(id);
  const whole = new Intl.NumberFormat('en-US');
  const PILLS = { COMPLETE: 'good', ERROR: 'bad', RUNNING: 'busy', QUEUED: 'busy', UNCONFIRMED: 'warn' };

  /** An element with classes, attributes and texts or elements inside. */
  const make = (name, attributes = {}, ...inside) => {
    const element = document.createElement(name);
    for (const [key, value] of Object.entries(attributes)) element.setAttribute(key, value);
    element.append(...inside);
    return element;
  };
  const say = (element, text) => {
    if (element.textContent !== text) element.textContent = text;
  };
  const day = (iso) => iso.slice(0, 10);
  const time = (iso) => iso.slice(11, 19);

  /**
   * Brings the children of an element in line with items: known ones are updated, new ones made, the rest removed. What
   * stays is not moved, for that would take the focus from it; what goes with the focus hands it on.
   */
  const first = new WeakSet();
  const sync = (parent, items, keyOf, create, update) => {
    const old = new Map([...parent.children].map((child) => [child.dataset.key, child]));
    const stay = new Set(items.map((item) => String(keyOf(item))));
    const gone = [...old].filter(([key]) => !stay.has(key)).map(([, child]) => child);
    const lost = gone.some((child) => child.contains(document.activeElement));
    for (const child of gone) child.remove();
    if (lost) parent.querySelector('button, summary')?.focus();
    let place = parent.firstElementChild;
    for (const item of items) {
      const key = String(keyOf(item));
      let child = old.get(key);
      if (child === undefined) {
        child = create(item);
        child.dataset.key = key;
        if (first.has(parent)) child.classList.add('new');
      }
      update(child, item);
      if (child === place) place = place.nextElementSibling;
      else parent.insertBefore(child, place);
    }
    first.add(parent);
  };

  // What is told to those who hear the page.
  const news = byId('news');
  const tell = (text) => {
    news.append(make('span', {}, text + '. '));
    while (news.childElementCount > 5) news.firstElementChild.remove();
  };

  const link = (state, text) => {
    const element = byId('link');
    element.dataset.state = state;
    say(element, text);
  };

  const ask = async (path, method, body) => {
    const response = await fetch(path, {
      method,
      headers: { 'content-type': 'application/json' },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
    if (response.ok) return;
    const { error } = await response.json();
    throw new Error(error.message);
  };

  /** Does something at the server, tells of it, and shows what came of it. */
  const act = async (path, method, body, done) => {
    try {
      await ask(path, method, body);
      byId('failure').hidden = true;
      tell(done);
    } catch (error) {
      byId('failure').hidden = false;
      say(byId('failure'), 'That did not work: ' + error.message);
    }
    await refresh();
  };

  let state;
  let chosen;
  const statuses = new Map();

  const showClock = ({ now, steering }) => {
    const element = byId('now');
    element.dateTime = now;
    if (element.dataset.shown !== now.slice(0, 19)) {
      element.dataset.shown = now.slice(0, 19);
      element.replaceChildren(time(now) + ' ', make('small', {}, day(now) + ' UTC'));
    }
    byId('clock-buttons').hidden = steering === undefined;
    say(byId('clock-note'), steering === undefined
      ? 'The clock of the machine: it cannot be moved from here.'
      : steering.frozen ? 'It stands still until it is moved. Jobs go on when it does.' : 'It runs, and can be moved ahead.');
    if (steering !== undefined) byId('freeze').setAttribute('aria-pressed', String(steering.frozen));
  };

  const showFaults = (faults) => {
    byId('faults').hidden = faults === undefined;
    byId('clock').classList.toggle('alone', faults === undefined);
    if (faults === undefined) return;
    const presets = byId('fault-preset');
    if (presets.options.length === 0) {
      presets.append(...faults.presets.map(({ name, what }) => make('option', { value: name }, what)));
    }
    byId('fault-none').hidden = faults.active.length > 0;
    sync(byId('fault-list'), faults.active, ({ id }) => id, ({ id, text }) => {
      const remove = make('button', { type: 'button', class: 'small', 'aria-label': 'Remove fault ' + text }, 'Remove');
      remove.addEventListener('click', () => {
        byId('fault-preset').focus();
        void act('faults/' + id, 'DELETE', undefined, 'Fault removed');
      });
      return make('li', {}, make('span'), remove);
    }, (item, { text, done }) => {
      say(item.firstElementChild, text + (done === 0 ? ': not yet' : done === 1 ? ': done once' : ': done ' + whole.format(done) + ' times'));
    });
  };

  const showPicker = (accounts) => {
    const picker = byId('account');
    byId('account-label').hidden = accounts.length < 2;
    sync(picker, accounts, ({ user }) => user, ({ user }) => make('option', { value: user }, user), () => {});
    if (!accounts.some(({ user }) => user === chosen)) chosen = accounts[0]?.user;
    if (chosen !== undefined && picker.value !== chosen) picker.value = chosen;
  };

  const cell = (label, name) => make('td', { role: 'cell', 'data-label': label, class: name });

  const showActivities = (account) => {
    const table = byId('activities');
    const activities = account?.activities ?? [];
    table.hidden = activities.length === 0;
    byId('activities-none').hidden = activities.length > 0;
    const anyMoves = activities.some(({ moves }) => moves.length > 0);
    byId('move-heading').textContent = anyMoves ? 'Move to' : '';
    sync(table.tBodies[0], activities, ({ id }) => id, ({ id, type }) => make('tr', { role: 'row' },
      make('th', { scope: 'row', role: 'rowheader' }, make('span', { class: 'type' }, type), make('span', { class: 'id' }, id)),
      make('td', { role: 'cell' }, make('span', { class: 'pill' }), make('span', { class: 'why' })),
      cell('Created (UTC)', 'number'),
      cell('Contacts', 'number'),
      cell('Errors', 'errors'),
      make('td', { role: 'cell', class: 'move' }, make('div')),
    ), (row, activity) => {
      const [, status, created, count, errors, move] = row.cells;
      const pill = status.firstElementChild;
      say(pill, activity.status);
      pill.className = 'pill ' + (PILLS[activity.status] ?? '');
      say(status.lastElementChild, activity.note ?? '');
      say(created, day(activity.insertTime) + ' ' + time(activity.insertTime));
      say(count, activity.transactionCount === undefined ? '–' : whole.format(activity.transactionCount));
      showErrors(errors, activity);
      sync(move.firstElementChild, activity.moves, (to) => to, (to) => {
        const button = make('button', { type: 'button', class: 'small', 'aria-label': 'Move ' + activity.type + ' ' + activity.id + ' to ' + to }, to);
        button.addEventListener('click', () => {
          if (to === 'COMPLETE' || to === 'ERROR') byId('activities-title').focus();
          const path = 'activities/' + encodeURIComponent(chosen) + '/' + encodeURIComponent(activity.id) + '/transition';
          void act(path, 'POST', { to }, 'Moved to ' + to);
        });
        return button;
      }, () => {});
    });
  };

  const showErrors = (element, { errorCount, errors }) => {
    const key = errorCount + ' ' + errors.length;
    if (element.dataset.shown === key) return;
    element.dataset.shown = key;
    element.classList.toggle('none', errorCount === 0);
    if (errors.length === 0) {
      element.replaceChildren(errorCount === 0 ? '0' : make('b', {}, whole.format(errorCount)));
      return;
    }
    const lines = errors.map(({ lineNumber, emailAddress, message }) => make('li', {}, [
      lineNumber === undefined ? '' : 'line ' + lineNumber,
      emailAddress ?? '',
      message,
    ].filter((part) => part !== '').join(': ')));
    if (errorCount > errors.length) lines.push(make('li', {}, 'and ' + whole.format(errorCount - errors.length) + ' more'));
    element.replaceChildren(make('details', {}, make('summary', {}, make('b', {}, whole.format(errorCount))), make('ul', {}, ...lines)));
  };

  const showLists = (account) => {
    sync(byId('lists').tBodies[0], account?.lists ?? [], ({ id }) => id, () => make('tr', {},
      make('th', { scope: 'row' }), make('td', { class: 'mono' }), make('td', { class: 'number' }),
    ), ({ cells }, { id, name, contactCount }) => {
      say(cells[0], name);
      say(cells[1], id);
      say(cells[2], contactCount === undefined ? '–' : whole.format(contactCount));
    });
  };

  /** What became of a request, in a sentence or none. */
  const madeOf = ({ status, fault, refusal, activityId, method, contacts, activityType }) => {
    if (fault !== undefined) return 'Fault ' + fault.rule + ' was done to it: ' + fault.action + (status === undefined ? '' : ' ' + status);
    if (refusal !== undefined) return refusal.reason;
    if (method !== 'POST' || activityId === undefined) return '';
    const rows = contacts?.rows === undefined ? '' : ' with ' + whole.format(contacts.rows) + (contacts.rows === 1 ? ' contact' : ' contacts');
    return (activityType ?? 'It') + rows + ' became ' + activityId;
  };

  const showRequests = ({ requests, requestCount, faults }) => {
    byId('requests-none').hidden = requests.length > 0;
    byId('clear-requests').hidden = requests.length === 0 || faults === undefined;
    say(byId('request-count'), requests.length === 0 ? '' : requestCount > requests.length
      ? 'the latest ' + whole.format(requests.length) + ' of ' + whole.format(requestCount)
      : whole.format(requestCount));
    sync(byId('requests'), requests, ({ id, at }) => id + ' ' + at, (entry) => {
      const { status } = entry;
      const kind = status === undefined || status >= 500 ? 'bad' : status >= 400 ? 'warn' : 'good';
      const made = madeOf(entry);
      const bad = entry.refusal !== undefined || entry.fault !== undefined;
      const why = entry.refusal?.explanation;
      const details = make('details', {}, make('summary', {},
        make('span', { class: 'time' }, time(entry.at)),
        make('span', { class: 'method' }, entry.method),
        make('span', { class: 'path' }, make('span', { class: 'mono' }, entry.resource || entry.path), ' ',
          ...(entry.user === undefined ? [] : [make('span', { class: 'who' }, entry.user)])),
        make('span', { class: 'pill ' + kind }, status === undefined ? 'no answer' : String(status)),
        ...(made === '' ? [] : [make('span', { class: bad ? 'made bad' : 'made' }, made)]),
        ...(why === undefined ? [] : [make('span', { class: 'why' }, why)]),
      ));
      // Only who looks needs them.
      details.addEventListener('toggle', () => details.append(factsOf(entry)), { once: true });
      return make('li', {}, details);
    }, () => {});
  };

  const factsOf = (entry) => {
    const facts = [
      ['URL', entry.url],
      ['Took', entry.duration + ' ms'],
      ['Credentials', entry.scheme ?? 'none'],
      ...(entry.bytes > 0 ? [['Body', whole.format(entry.bytes) + ' bytes, ' + (entry.contentType ?? 'no Content-Type')]] : []),
      ...(entry.contacts === undefined ? [] : [['Contacts', (entry.contacts.rows ?? 'a spreadsheet') + ' rows; ' + (entry.contacts.heading?.join(', ') ?? 'no heading')]]),
      ...(entry.parameters ?? []).map(({ name, value }) => [name, value]),
      ...Object.entries(entry.headers),
    ];
    return make('dl', {}, ...facts.flatMap(([name, value]) => [make('dt', {}, name), make('dd', { class: 'mono' }, value)]));
  };

  const tellChanges = (accounts) => {
    for (const { user, activities } of accounts) {
      for (const { id, type, status } of activities) {
        const key = user + '/' + id;
        if (state !== undefined && statuses.get(key) !== status) tell(type + ' is ' + status);
        statuses.set(key, status);
      }
    }
  };

  const show = (next) => {
    tellChanges(next.accounts);
    state = next;
    document.title = next.title;
    say(byId('title'), next.title);
    const { accounts, url = location.origin } = next;
    byId('lists-card').hidden = accounts.every(({ lists }) => lists.length === 0);
    say(byId('lead'), accounts.length === 0
      ? 'No account is served at ' + url + '.'
      : (accounts.length === 1 ? 'The account ' + accounts[0].user : whole.format(accounts.length) + ' accounts') + ' at ' + url);
    const { notices = [] } = next;
    byId('notices').hidden = notices.length === 0;
    sync(byId('notices'), notices, (text) => text, (text) => make('p', {}, text), () => {});
    showClock(next.clock);
    showFaults(next.faults);
    showPicker(accounts);
    const account = accounts.find(({ user }) => user === chosen);
    showActivities(account);
    showLists(account);
    showRequests(next);
    byId('reset').hidden = next.faults === undefined;
  };

  let timer;
  const refresh = async () => {
    clearTimeout(timer);
    try {
      const response = await fetch('state');
      if (!response.ok) throw new Error('status ' + response.status);
      show(await response.json());
      link('live', 'Live');
    } catch {
      link('lost', 'No connection');
    }
    clearTimeout(timer);
    timer = setTimeout(refresh, EVERY);
  };

  byId('clock-buttons').addEventListener('click', (event) => {
    const { advance } = event.target.dataset;
    if (advance !== undefined) void act('clock', 'POST', { advance }, 'The clock went on by ' + event.target.textContent.slice(1));
  });
  byId('freeze').addEventListener('click', () => {
    const freeze = byId('freeze').getAttribute('aria-pressed') !== 'true';
    void act('clock', 'POST', { freeze }, freeze ? 'The clock stands still' : 'The clock runs');
  });
  byId('fault-form').addEventListener('submit', (event) => {
    event.preventDefault();
    const [action, method, times] = ['fault-preset', 'fault-method', 'fault-times'].map((id) => byId(id).value);
    void act('faults', 'POST', {
      action,
      ...(method === '' ? {} : { match: { method } }),
      ...(times === '' ? {} : { times: Number(times) }),
    }, 'Fault added');
  });
  byId('account').addEventListener('change', () => {
    chosen = byId('account').value;
    show(state);
  });
  byId('clear-requests').addEventListener('click', () => {
    void act('requests', 'DELETE', undefined, 'Requests cleared');
  });
  byId('reset').addEventListener('click', () => {
    if (!confirm('Take everything back to how it began? Contacts, activities, faults and requests since then are gone.')) return;
    void act('reset', 'POST', {}, 'Everything is as it began');
  });
  document.addEventListener('visibilitychange', () => {
    if (document.hidden) clearTimeout(timer);
    else void refresh();
  });
  void refresh();
})();
`;
