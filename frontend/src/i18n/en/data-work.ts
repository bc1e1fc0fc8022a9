/** How work on data in the background fails. `{{work}}` is what was at work, `{{again}}` how it is begun anew. */
export const codes = {
  data_work_crashed: '{{work}} ended unexpectedly.',
  data_work_disk_full: '{{work}} could not go on: the disk is full.',
  data_work_failed: '{{work}} failed: {{reason}}',
  data_work_hung: '{{work}} gave no sign of progress for too long and was ended.',
  data_work_interrupted: '{{work}} was interrupted: the machine was restarted.',
  data_work_late: '{{work}} did not start in time.',
  data_work_lost: '{{work}} was ended from outside.',
  data_work_not_started: '{{work}} could not be started.',
  data_work_nothing_to_read: '{{work}} could not read the rows: {{reason}}',
  data_work_out_of_memory: '{{work}} needed more memory than this machine has left.',
  fetch_stopped: 'Fetching the data set was stopped before it had ended.',
}

export const hints = {
  data_work_crashed:
    '{{again}} If it ends like this again, this machine may have too little memory for it: the server’s folder of the job has the details in its log.',
  data_work_disk_full: 'Free some space on the disk of the data folder. {{again}}',
  data_work_failed: '{{again}} If it fails again, check the disk of the data folder.',
  data_work_hung: '{{again}} If it hangs again, check the disk of the data folder.',
  data_work_interrupted: '{{again}}',
  data_work_late: 'The machine may be overloaded: wait until it has less to do. {{again}}',
  data_work_lost: '{{again}} If it happens again, check the data folder and its disk.',
  data_work_not_started: 'Run “easytune doctor” and repair what it names. {{again}}',
  data_work_nothing_to_read: '{{again}} A very large file is easier to read in several parts.',
  data_work_out_of_memory: 'Free some memory. {{again}}',
  fetch_stopped: 'Fetch it again, or delete the data set.',
}

/** What was at work, by the server's name for it. */
export const works = {
  import: 'The import',
  fetch: 'Fetching the data set',
  preparation: 'The preparation',
  examination: 'The examination',
}

export const again = {
  import: 'Import the file again, or delete the data set.',
  fetch: 'Fetch it again, or delete the data set.',
  preparation: 'Prepare the data set again.',
  examination: 'Examine the data set again; it can be used as it is.',
}
