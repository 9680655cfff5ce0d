//! Names are looked up, and only addresses of the open network are connected to: a name that leads
//! into a network of our own is no way in.

use std::io;
use std::net::SocketAddr;

use daicho_app::is_private_address;
use reqwest::dns::{Addrs, Name, Resolve, Resolving};

/// Looks names up.
pub(crate) struct OpenNetwork;

impl Resolve for OpenNetwork {
    fn resolve(&self, name: Name) -> Resolving {
        Box::pin(async move {
            let found = tokio::net::lookup_host((name.as_str(), 0)).await?;
            let open: Vec<SocketAddr> = found.filter(|a| !is_private_address(a.ip())).collect();
            if open.is_empty() {
                let text = format!("{} is an address within a network of its own", name.as_str());
                return Err(io::Error::new(io::ErrorKind::PermissionDenied, text).into());
            }
            Ok(Box::new(open.into_iter()) as Addrs)
        })
    }
}
