import { atExit } from '../../../local/cloud/at-exit';

test('many clouds share one listener, which goes with the last of them', () => {
  const before = process.listenerCount('exit');
  const undo = Array.from({ length: 20 }, () => atExit(() => undefined));
  expect(process.listenerCount('exit')).toBe(before + 1);
  for (const forget of undo) forget();
  expect(process.listenerCount('exit')).toBe(before);
});

test('all actions run when the process exits, except those taken back', () => {
  const ran: string[] = [];
  const before = new Set(process.listeners('exit'));
  const forget = ['a', 'b', 'c'].map((name) => atExit(() => ran.push(name)));
  forget[1]();
  const added = process.listeners('exit').filter((listener) => !before.has(listener));
  for (const listener of added) listener(0);
  expect(ran).toEqual(['a', 'c']);
  for (const undo of forget) undo();
});
