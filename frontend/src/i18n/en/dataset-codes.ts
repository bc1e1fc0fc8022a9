/** What can go wrong when a version is exported or prepared, why, and the next step. */
export const codes = {
  CanNotBeExpressed_one:
    '{{format}} has no place for row {{rows}}: {{reason}}. Choose another form; JSON lines take every row.',
  CanNotBeExpressed_other:
    '{{format}} has no place for {{count, number}} rows. Of {{reason_count, number}} of them: {{reason}}, for example rows {{rows}}. Choose another form; JSON lines take every row.',
  CanNotBePrepared: 'The steps can not be done with these rows: {{reason}}',
  empty_part: 'The part “{{split}}” would have no row: there are {{num_rows, number}} to divide.',
  mixture_too_large:
    'The mixture would have {{rows, number}} rows, made of {{different, number}} different ones.',
  no_row_left: 'Step {{step}} leaves no row of {{rows_in, number}}.',
  no_such_field: 'No row has “{{field}}”.',
  no_time: '“{{field}}” is neither a number nor an ISO date: {{value}} (row {{row, number}}).',
  no_time_added:
    '“{{field}}” is neither a number nor an ISO date: {{value}} (in a row that was added).',
  no_usable_row_left:
    'Step {{step}} leaves no row of {{rows_in, number}}: {{dropped, number}} can not be used after it.',
  preparation_disk_full: 'There is no space left on the disk to prepare the data set.',
  preparation_failed: 'The data set could not be prepared: {{reason}}.',
  preparation_out_of_memory: 'There was not enough memory to prepare the data set.',
  source_gone: 'A version that rows were to be taken from is no longer there.',
  too_many_classes: '“{{field}}” has more than {{most, number}} different values.',
}

export const hints = {
  empty_part: 'Give it a larger share, or take more rows.',
  mixture_too_large:
    'Ask for fewer rows or choose other weights: {{most, number}} rows at most, none of them more than {{repeats, number}} times on average.',
  no_row_left: 'Change this step: a version without rows can not be used.',
  no_such_field: 'Choose a column that is beside the records.',
  no_time: 'Leave such rows out with a step “filter” before, or choose another column.',
  no_time_added: 'Leave such rows out with a step “filter” before, or choose another column.',
  no_usable_row_left: 'Change this step: a version without rows can not be used.',
  preparation_disk_full:
    'Free some space on the disk of the data folder, then prepare the data set again.',
  preparation_failed: 'Check the disk of the data folder, then prepare the data set again.',
  preparation_out_of_memory: 'Free some memory, then prepare the data set again.',
  preparation_stopped: 'Prepare the data set again.',
  source_gone: 'Choose other sources and prepare the data set again.',
  too_many_classes: 'Choose a field with fewer classes, or divide by group or at random.',
}

/** What of a row has no place in a form. */
export const reasons = {
  beside_tool_calls: 'a turn with tool calls has no place for anything else',
  field_of_turn: '“{{field}}” of a turn has no place here',
  ids_of_tool_calls: 'ids of tool calls have no place here',
  large_label: 'a label is a number that is too large for a column',
  not_alternating: 'questions and answers do not alternate',
  one_exchange: 'a row has one question and one answer here',
  other_label: 'a label is of another kind than those before it',
  several_labels: 'several labels have no place in a cell',
  several_questions: 'a preference has one question here',
  several_turns: 'an answer of several turns has no place here',
  text_without_turns: 'a text has no turns',
  tool_calls: 'tool calls have no place here',
  tools: 'tools have no place here',
  verdicts_of_steps: 'verdicts about single steps have no place here',
}
