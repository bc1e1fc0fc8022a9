/**
 * What the server's error codes mean. While English is shown the server's own sentence comes first
 * (it may say more); these stand in when it sends none, and are what translations are made from.
 */
export default {
  // Every call
  Unauthenticated: 'Sign in first.',
  Forbidden: 'Your role does not allow this.',
  NotFound: 'There is nothing here under this name, or it is not yours.',
  Conflict: 'That does not fit the present state. Refresh the page and look again.',
  Refused: 'That can not be done.',
  TooLarge: 'That is larger than allowed.',
  TooMany: 'Too many attempts. Wait a moment and try again.',
  Unavailable: 'The platform can not answer right now. Try again in a moment.',
  DatabaseUnavailable:
    'The database does not answer right now. Nothing is lost; try again in a moment.',
  InvalidRequest: 'Some values do not fit. Look at the marked fields.',
  MethodNotAllowed: 'The server does not offer this.',
  InternalError: 'The server ran into a bug. Its log has the details under the request id.',
  BodyTooLarge: 'This request is larger than the {{megabytes}} MB that are allowed here.',
  BodyTooSlow: 'The rest of this request did not arrive in time.',
  CrossSite: 'This call came from another site. Open EasyTune in a tab of its own.',
  UnknownHost: 'This server is not asked for by that name. Add it to EASYTUNE_ALLOWED_HOSTS.',
  BadCursor: 'This list can not be continued. Reload the page.',
  BadIdempotencyKey: 'The request carries a wrong key. Reload the page and try again.',
  IdempotencyKeyReused: 'This was already sent with other values. Reload the page.',
  RequestInProgress: 'The same request is being worked on. Try again in a second.',
  // Accounts
  AlreadySetUp: 'There is an administrator already. Sign in instead.',
  BadCredentials: 'The name or the password is not right.',
  BadSetupToken:
    'This is not the setup token that the server printed last. It changes every hour.',
  UnknownProxy:
    'This request came through a proxy that is not known; name its address in EASYTUNE_TRUSTED_PROXIES.',
  InsecureConnection:
    'Signing in without encryption is only allowed on the same machine. Use HTTPS or a tunnel.',
  TooManySignIns_one: 'Too many failed attempts. Wait a second and try again.',
  TooManySignIns_other: 'Too many failed attempts. Wait {{count, number}} seconds and try again.',
  UsernameTaken: 'There is a user named {{username}} already.',
  UserNotFound: 'There is no user named {{username}}.',
  WeakPassword: 'This password is too easy to guess. Take a few unrelated words instead.',
  // Data sets
  BadMapping: 'These columns do not make a record. Check the mapping.',
  BadUpload: 'The upload did not arrive whole. Try it again.',
  DatasetVersionInUse_one:
    '{{count}} task that has not ended uses this version: {{names}}. Stop it first, or wait.',
  DatasetVersionInUse_other:
    '{{count}} tasks that have not ended use this version: {{names}}. Stop them first, or wait.',
  DatasetVersionIsCurrent: 'This is the current version. Make another one the current one first.',
  DatasetVersionNotFound: 'This data set has no such version (any more).',
  DatasetVersionRead: 'Another version is being made of this one; wait until that has ended.',
  NoUpload: 'This data set was made of others: there is no file to read again.',
  RowsUnavailable: 'The rows can not be read at the moment. Try it again in a moment.',
  DatasetBusy: 'A version of this data set is being made. Wait until that has ended.',
  DatasetInUse_one:
    'An unfinished training uses this data set ({{names}}). Stop it first, or wait.',
  DatasetInUse_other:
    '{{count, number}} unfinished trainings use this data set ({{names}}). Stop them first, or wait.',
  DatasetNotFound: 'This data set does not exist (any more), or it is not yours.',
  DiskFull: 'There is not enough space on the disk. Free some and try again.',
  ExampleNotFound: 'There is no example with this name.',
  FileTooLarge: 'The file is larger than the {{megabytes}} MB that are allowed here.',
  NotExaminedYet:
    'Version {{version}} of “{{name}}” has not been examined yet. Wait until it is, or start the examination on its page.',
  NothingToDownload: 'This file is not there (any more).',
  NothingToExamine: 'Version {{version}} of this data set has no rows that could be examined.',
  UploadExpected: 'Upload a file; other sources can not be used yet.',
  BadExpression: 'Step {{step}}: this expression can not be used ({{reason}}).',
  CanNotBeExpressed_one:
    '{{format}} has no place for a row ({{rows}}). Choose another form; JSON lines take every row.',
  CanNotBeExpressed_other:
    '{{format}} has no place for {{count, number}} rows ({{rows}}, …). Choose another form; JSON lines take every row.',
  CanNotBePrepared: 'The steps can not be done with these rows.',
  ChangeDoesNotFit:
    'Step {{step}} has a change that does not fit records of this kind. Remove that change.',
  DifferentRecords:
    'The records of “{{name}}” are of another kind, so they can not be put together. Convert one first.',
  ExportFailed: 'The version can not be exported at the moment. Try it again in a moment.',
  ExportsBusy: 'As many exports as allowed are under way. Try it again when one has ended.',
  NoSuchRow: 'There is no row {{row, number}} to exclude.',
  NoSuchSplit: 'This version has no part “{{split}}”.',
  NotExamined: 'This version has not been examined yet. Wait until its findings are known.',
  NotExportable: 'There are no records to export yet. Finish the import first.',
  NotPreparable: '“{{name}}” is not ready. Finish its import first, or choose another version.',
  NothingPrepared: 'No version of this data set is being made, and none has failed.',
  PreviewTooSlow: 'Trying these steps out takes too long. Make simpler ones, or prepare without it.',
  SourceNotFound: 'One of the sources does not exist (any more), or it is not yours.',
  SourceVersionNotFound: '“{{name}}” has no version {{version}} (any more). Choose another one.',
  preparation_stopped: 'The preparation was stopped before it had ended.',
  // Files that can not be imported
  binary_file: 'This is not a text file.',
  broken_header: 'The first line, which names the columns, can not be read.',
  broken_json: 'The file is not valid JSON (line {{line}}).',
  duplicate_column: 'Two columns have the same name “{{column}}”.',
  empty_file: 'The file is empty.',
  examination_stopped: 'The examination was stopped before it had ended.',
  not_examined: 'This version has not been examined yet.',
  import_stopped: 'The import was stopped before it had ended.',
  invalid_encoding: 'The file has bytes that are not text (line {{line}}).',
  no_readable_rows: 'Not one row of the file can be read.',
  no_rows: 'The file has no rows.',
  no_usable_rows_one: 'The only row can not be used.',
  no_usable_rows_other: 'None of the {{count, number}} rows can be used.',
  several_arrays: 'The file holds several arrays: it is not clear which are the rows.',
  too_many_dropped_rows_one:
    '{{count, number}} row can not be used; up to {{max_dropped_rows, number}} may be left out.',
  too_many_dropped_rows_other:
    '{{count, number}} rows can not be used; up to {{max_dropped_rows, number}} may be left out.',
  unknown_column: 'The file has no such column.',
  unknown_encoding: 'The encoding of this file can not be recognised.',
  unknown_file_type: 'This file is neither JSON nor JSON lines nor a table.',
  // Trainings
  ArtifactGone: 'The files of this model are gone from the data folder. Run the training again.',
  BadPosition: 'This is not a position in a log.',
  DraftNotFound: 'This draft does not exist (any more).',
  DraftTooLarge: 'The draft is too large to be kept.',
  InvalidTransition: 'Its state has changed, so that can not be done now.',
  JobNotFound: 'This work does not exist (any more).',
  NoArtifact: 'There is no model yet. There is one when the training is completed.',
  NoSuchAttempt: 'This training has no attempt {{attempt}}.',
  NotResumable: 'There is no checkpoint to go on from. Start again from the beginning.',
  SourceGone: 'The model or the data of this training is gone. Create a new training.',
  StaleAttempt: 'This attempt is over; a newer one is under way.',
  TaskIsLive: 'This training is under way. Stop it before you delete it.',
  TaskNotFound: 'This training does not exist, or it is not yours.',
  TaskRefused: 'This can not be trained like this. The marked fields say why.',
  TooManyDrafts_one: 'You have a draft already. Delete it before you begin another.',
  TooManyDrafts_other: 'You have {{count, number}} drafts. Delete one before you begin another.',
  TooManyTasks_one: 'You have a training that waits or runs. Wait for it to end, or stop it.',
  TooManyTasks_other:
    'You have {{count, number}} trainings that wait or run. Wait for one to end, or stop one.',
  // Playground and models
  BadHubId: '“{{reference}}” is not the id of a model. It has the form owner/name.',
  BadReference: '“{{reference}}” is not a model folder that can be used. Choose one from the list.',
  BaseModelGone: 'The base model {{name}} was deleted. Add it again to ask the model tuned from it.',
  HubModelGated:
    '“{{reference}}” is only given to those who accepted its terms. Download it yourself and add the folder.',
  HubModelNotFound: 'There is no open model “{{reference}}”. Check how it is written.',
  HubModelUnusable: '“{{reference}}” can not be used here.',
  HubOffline: 'This installation works without a network. Add the starter model or a folder.',
  HubUnreachable:
    'The model hub can not be reached. Check the network, or add the starter model or a folder.',
  WriteConflict:
    'Two changes got in each other’s way and this one was undone. Nothing is lost; try again.',
  MemoryWillNotFit: 'This run is not expected to fit into this machine’s memory.',
  ModelInUse_one:
    'An unfinished training starts from this model ({{names}}). Stop it first, or wait.',
  ModelInUse_other:
    '{{count, number}} unfinished trainings start from this model ({{names}}). Stop them first, or wait.',
  ModelNotFound: 'This model does not exist (any more).',
  ProgramNotAllowed:
    'The program that “{{reference}}” brings along may not be executed. An administrator can read its files and allow them.',
  ProgramChanged: 'The program files of this model are not those that were read. Look at them again.',
  NothingToTrust: 'This model brings no program along that would have to be allowed.',
  model_needs_code: 'The model can only be loaded by executing the program that it brings along.',
  ModelNotReady: 'This model is not ready yet. Wait until its files are here.',
  NotEnoughDisk:
    '“{{name}}” needs {{needed_gb}} GB on disk and {{free_gb}} GB are free. Free some and try again.',
  NoPrediction: 'The model gave no answer: {{message}} {{hint}}',
  TextsOrConversations: 'Give texts or conversations, one of the two.',
  NotTuned: 'This training has no tuned model yet. It has one when it is completed.',
  NothingToRetry: 'Only what failed can be tried again.',
  OneTarget: 'Choose one model to ask.',
  SourceNotAvailable: 'Models from this source can not be added yet.',
  UnknownStarter: 'No model called “{{reference}}” comes with EasyTune.',
  StarterMissing: 'The package of the starter model is not installed. Run the set-up again.',
  download_stopped: 'It was stopped before it had ended.',
  PlaygroundBusy_one: 'The playground answers a question already. Wait for it to end.',
  PlaygroundBusy_other:
    'The playground answers {{count, number}} questions already. Wait for one of them.',
  // Why a run failed
  out_of_memory: 'The memory that the run computes in was not enough.',
  host_out_of_memory: 'The memory of this machine was not enough.',
  nan_loss: 'The loss became infinite or not a number.',
  bad_dataset: 'The data can not be trained on.',
  bad_spec: 'The settings of this run do not fit together.',
  model_not_found: 'The model can not be found or loaded.',
  disk_full: 'The disk is full.',
  engine_crashed: 'The training process ended unexpectedly.',
  engine_hung: 'The training process gave no sign of life and was ended.',
  launch_timeout: 'The training process did not start in time.',
  checkpoint_corrupt: 'The checkpoint is damaged.',
  supervisor_lost: 'It is not known how the training process ended.',
  host_rebooted: 'The machine was restarted during the training.',
  dependency: 'A package that is needed is missing or does not fit.',
  internal: 'The training engine ran into a bug.',
}
