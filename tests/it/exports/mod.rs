//! Exports, the month for accounting, and the copy into another database.

mod commands;
mod copies;
mod histories;
mod memory;
mod uncopied;
