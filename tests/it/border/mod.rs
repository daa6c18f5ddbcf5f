//! Strangers at the border: connections and bodies that never end, answers that are not read, credentials that are guessed.
//! Good deliveries and balance reads go on beside any number of them.

mod bounds;
mod hostile;
mod processes;
