/** What the rows of a data set hide. */
export default {
  examined: '{{n}} rows examined.',
  waiting: 'The examination waits for its turn.',
  running: 'The rows are being examined. You may leave this page.',
  left: 'about {{time}} left',
  former: 'Below is what was found the last time.',
  failed: 'The rows could not be examined.',
  examine: 'Examine',
  clean: 'Nothing was found that speaks against these rows.',
  cleanSoFar: 'Nothing was found in what was looked at; below is what was not.',
  notLookedAt: 'What was not looked at',
  framed_one:
    '{{count, number}} row is nearly all a text that a tenth of the rows or more have in common, such as a template. That text does not count as likeness, so the row was only compared by the rest of it. Exact duplicates are found all the same.',
  framed_other:
    '{{count, number}} rows are nearly all a text that a tenth of the rows or more have in common, such as a template. That text does not count as likeness, so these rows were only compared by the rest of them: those that differ in a few words are not shown as near duplicates. Exact duplicates are found all the same.',
  leftOut_one:
    '{{count, number}} row has hardly a word of its own, so it was not compared with others for near duplicates.',
  leftOut_other:
    '{{count, number}} rows have hardly a word of their own, so they were not compared with others for near duplicates.',
  severity: { info: 'worth a look', warning: 'look at this first' },
  exclude_one: 'Make a version without this {{count, number}} row',
  exclude_other: 'Make a version without these {{count, number}} rows',
  excludeChosen_one: 'Make a version without the rows of {{count}} finding',
  excludeChosen_other: 'Make a version without the rows of these {{count}} findings',
  chooseNone: 'Choose none',
  confirmTitle: 'Make a new version of “{{name}}”?',
  confirm: '{{removed}} rows are left out ({{findings}}), {{left}} stay. The version that you have now is kept.',
  examples_one: 'Show {{count}} example',
  examples_other: 'Show {{count}} examples',
  alike: { identical: 'the same, character for character', case_and_space: 'the same but for case and spaces' },
  columns:
    'Found in columns beside the records, with so many rows each: {{columns}}. No run learns from these columns; the step “Change rows” can remove them (“Remove columns beside the records”).',
  inColumn: 'in the column “{{column}}”',
  nearSample: 'Near duplicates were looked for among {{n}} rows, an even sample.',
  languages: 'Languages',
  languageSample: 'Looked at in {{n}} rows, an even sample.',
  noLanguage: 'can not be said',
  overlap: 'Rows that another data set has, too',
  overlapPurpose:
    'Compare with the data that you measure with: what a model has seen in training says nothing about what it can do.',
  chooseOther: 'Choose a data set to compare with',
  noOther: 'There is no other data set that is ready.',
  comparing: 'Comparing…',
  nothingShared: 'The two have no row in common.',
  shared: {
    exact: 'the same but for case and spaces',
    near: 'nearly the same',
    same_prompt: 'same question, other answer',
  },
  findings: {
    exact_duplicates: {
      title: 'Exact duplicates',
      detail: 'The same row again. A model learns it by heart; the first one stays when these are left out.',
    },
    near_duplicates: {
      title: 'Near duplicates',
      detail: 'Almost the same text as another row. Of each group the first one stays when these are left out.',
    },
    email: { title: 'E-mail addresses', detail: 'A tuned model may repeat them to anybody.' },
    phone: { title: 'Telephone numbers', detail: 'A tuned model may repeat them to anybody.' },
    id_number: { title: 'ID numbers', detail: 'Numbers of identity documents with a valid check digit.' },
    payment_card: { title: 'Payment cards', detail: 'Card numbers with a valid check digit.' },
    iban: { title: 'Bank accounts', detail: 'Account numbers (IBAN) with valid check digits.' },
    secret: {
      title: 'Passwords and keys',
      detail: 'They are known to whoever uses the tuned model. Change them as well.',
    },
    empty_answer: { title: 'Empty answers', detail: 'There is nothing to learn from them.' },
    short_answer: {
      title: 'Answers of one word',
      detail: 'Fine for classes; otherwise the model learns to be curt.',
    },
    label_with_one_row: {
      title: 'Labels with a single row',
      detail: 'One example is too little to learn a class, and none is left to measure it with.',
    },
    label_conflict: {
      title: 'Contradicting labels',
      detail: 'The same text with different labels: one of them is wrong.',
    },
  },
}
