//! What the examples share: where to listen, and lines to paste into a terminal.

use std::{env, error::Error, fmt::Display, io::IsTerminal, net::SocketAddr};

use tokio::net::TcpListener;
use tracing_subscriber::EnvFilter;

/// Listens on `--addr`, by default on `default`, and says so.
pub(crate) async fn listen(default: &str) -> Result<(TcpListener, String), Box<dyn Error>> {
    let mut arguments = env::args().skip(1);
    let address = match (arguments.next().as_deref(), arguments.next()) {
        (None, _) => default.to_owned(),
        (Some("--addr"), Some(address)) => address,
        _ => return Err("the only argument is `--addr ADDRESS:PORT`".into()),
    };
    let address: SocketAddr = address.parse().map_err(|_| format!("`{address}` is no address such as `{default}`"))?;
    let listener = TcpListener::bind(address).await.map_err(|error| format!("cannot listen on {address}: {error}"))?;
    let base = format!("http://{}", listener.local_addr()?);
    println!("listening on {base}\n");
    if env::var("SHELL").is_ok_and(|shell| shell.ends_with("zsh")) {
        println!("zsh takes comments in pasted lines after: setopt interactive_comments\n");
    }
    Ok((listener, base))
}

/// A line to paste, and the status that it gets.
pub(crate) fn curl(method: &str, url: &str, options: &str, status: impl Display) {
    let method = if method == "GET" { String::new() } else { format!("-X {method} ") };
    let space = if options.is_empty() { "" } else { " " };
    println!("curl -i {method}'{url}'{space}{options} # -> {status}");
}

/// Writes every decision to the terminal, allowed requests too.
pub(crate) fn log_decisions() {
    println!("\ndecisions as they are made:");
    let filter = EnvFilter::try_from_default_env().unwrap_or_else(|_| EnvFilter::new("info,tower_authz=debug"));
    tracing_subscriber::fmt().with_env_filter(filter).with_ansi(std::io::stdout().is_terminal()).init();
}
