//! The same work through tower-authz and through its peers, in one program and one run.

mod case;
mod command;
mod compiling;
mod contender;
mod contenders;
mod counting;
mod instructions;
mod loopback;
mod plot;
mod results;
mod rounds;
mod table;
mod targets;
mod threads;
mod token;
mod work;

use std::{error::Error, process::ExitCode};

use clap::Parser as _;

#[global_allocator]
static ALLOCATOR: counting::Counting = counting::Counting;

fn main() -> ExitCode {
    match run() {
        Ok(code) => code,
        Err(error) => {
            eprintln!("{error}");
            ExitCode::FAILURE
        }
    }
}

fn run() -> Result<ExitCode, Box<dyn Error>> {
    // One provider of cryptography for everyone who lets it be chosen.
    let _ = jsonwebtoken::crypto::aws_lc::DEFAULT_PROVIDER.install_default();
    let _ = jsonwebtoken_10::crypto::aws_lc::DEFAULT_PROVIDER.install_default();
    command::Command::parse().run()
}
