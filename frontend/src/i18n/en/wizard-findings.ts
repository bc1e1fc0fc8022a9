/** What the server finds about a plan, and why it recommends what it does; keyed by its codes. */
export default {
  findings: {
    output_name_taken: 'You already have a model named “{{name}}”; choose another name.',
    dataset_not_found: 'This data set is no longer there; choose another one.',
    dataset_version_not_found: '“{{name}}” has no such version (any more); choose another one.',
    dataset_split_not_found: 'Version {{version}} of “{{name}}” has no part “{{split}}”; choose another one.',
    dataset_importing: '“{{name}}” is still being imported; wait until it is ready.',
    dataset_blocked:
      'More rows of “{{name}}” were dropped than it allows. Open it, then correct the file or allow more.',
    dataset_needs_mapping: '“{{name}}” does not say which column is what; open it and choose.',
    dataset_failed: '“{{name}}” could not be read; open it to see why.',
    dataset_empty: '“{{name}}” has no rows to learn from.',
    record_type_mismatch:
      '“{{name}}” holds another kind of data than this training needs; choose another data set.',
    model_not_found: 'This model is no longer there; choose another one.',
    model_downloading: '“{{name}}” is still being downloaded; wait until it is ready.',
    model_converting: '“{{name}}” is still being converted; wait until it is ready.',
    model_failed: '“{{name}}” could not be prepared; open it to see why.',
    model_not_trainable:
      '“{{name}}” can not be trained here; choose a chat or instruct model, an encoder such as BERT, or an encoder–decoder such as T5.',
    model_continues_no_text:
      '“{{name}}” continues no text, which this training needs; choose a chat or instruct model, or sort texts into classes with it.',
    model_is_no_encoder_decoder:
      '“{{name}}” is no encoder–decoder (such as T5, BART or Marian), which this training needs; choose another model.',
    model_scores_no_text:
      '“{{name}}” can not get a head that scores texts; choose an encoder such as BERT, or a model that continues text.',
    model_folder_gone: 'The folder of this model is no longer there; put it back, or choose another one.',
    model_program_not_allowed:
      'The program that this model brings along may not be executed: it was changed, or nobody has allowed it. Ask an administrator, or choose another one.',
    memory_setting_that_fits: 'With this setting about {{needed_bytes}} are needed.',
    bad_chat_template: 'This is not a template that can be read: {{reason}}',
    muon_on_adapters:
      'Muon is for the matrices of full tuning and of frozen layers; adapters take AdamW.',
    quantised_shards:
      'Quantised weights can not be sharded; choose whole copies (DDP), or LoRA.',
    sharded_optimizer:
      'Sharded weights are trained with AdamW.',
    idle_processes:
      'That is more processes than a step has samples ({{batch_size}}); choose at most {{batch_size}}, or a larger batch.',
    too_many_processes:
      'That is more processes than there is hardware for; choose at most {{most}}.',
    no_chat_template:
      '“{{name}}” has no chat template, so it does not know how a conversation is written. Choose an instruction-tuned model (often named Instruct or Chat), or give a template in the advanced settings.',
    max_length_too_long:
      '“{{name}}” reads {{context_length}} tokens at most; choose a smaller maximum length.',
    validation_is_training: 'This is the data set that is trained on; choose another one, or none.',
    few_rows_one: '“{{name}}” has a single row; the model will hardly learn from it.',
    few_rows_other:
      '“{{name}}” has {{count, number}} rows; the model will hardly learn from so few.',
    device_missing: 'This machine has no such device; choose automatic or CPU.',
    disk_too_small:
      'The run writes about {{needed_bytes}} and {{available_bytes}} can be used. Free some space first.',
    language_mismatch:
      '“{{name}}” was taught English only: on this data it will learn form more than meaning. A multilingual model suits better.',
    rows_will_be_cut:
      'The longest rows have about {{longest_tokens}} tokens and will be cut at {{max_length}}.',
    most_rows_will_be_cut:
      'About {{percent}} % of the rows are longer than {{max_length}} tokens and lose their ends, where answers are; a row that loses its whole answer ends the run. Raise “Longest sample”.',
    outputs_will_be_cut:
      'The longest outputs have about {{longest_tokens}} tokens and will be cut at {{max_target_length}}.',
    validation_overlaps:
      '{{shared, number}} of {{rows, number}} rows of the validation data are in the training data, too, {{exact, number}} of them word for word: they do not show what is learnt. Leave them out with Prepare.',
    validation_shares_prompts:
      '{{same_prompt, number}} of {{rows, number}} questions of the validation data are in the training data with other answers.',
    overlap_unknown:
      'Whether rows of the validation data are in the training data, too, is not known yet: they are still being examined.',
    approximate_sizes: 'This family of models is not known here; the sizes are approximate.',
    time_not_measured: 'No run was measured on this machine yet; the time is a rough guess.',
    memory_tight: 'About {{needed_bytes}} are needed and {{available_bytes}} are free.',
    memory_will_not_fit:
      'It will not fit into memory: about {{needed_bytes}} are needed, {{available_bytes}} can be had.',
    sizes_unknown: 'The model does not tell its sizes, so memory and time can not be estimated.',
  },
  reasons: {
    learning_rate_lora_by_model_size: 'Suits LoRA on a model of {{num_parameters}} parameters.',
    learning_rate_full_by_model_size: 'Suits full tuning of a model of {{num_parameters}} parameters.',
    learning_rate_freeze_by_model_size: 'Suits tuning the last layers of a model of {{num_parameters}} parameters.',
    learning_rate_of_preferences: 'A tenth of what answers would take: preferences are learnt gently.',
    small_classifier_is_tuned_whole: 'A model of this size is tuned whole: it costs little and learns most.',
    epochs_by_rows_and_complexity: 'Suits {{num_rows}} rows and how much there is to learn.',
    batch_size_by_rows: 'Leaves enough steps with {{num_rows}} rows.',
    max_length_by_row_length: 'Has room for your rows: about {{mean_tokens}} tokens on average.',
    max_target_length_by_outputs: 'Has room for your longest outputs.',
    warmup_longer_in_short_runs: 'Suits a run of about {{steps}} steps.',
    evaluation_enough_rows: 'Enough rows to measure on; most stay for learning.',
    too_few_rows: 'There are too few rows to hold any of them out.',
    stop_when_no_better: 'Ends the run when it gets no better.',
    rank_by_complexity: 'Follows from how much there is to learn.',
    alpha_twice_rank: 'Twice the rank.',
  },
}
