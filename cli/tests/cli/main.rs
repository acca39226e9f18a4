//! The binary as scripts see it: standard output, standard error and exit codes.

mod load;
mod replay;
mod run;
mod support;
