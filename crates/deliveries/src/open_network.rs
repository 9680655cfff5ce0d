//! Looks names up and keeps only addresses of the public network, so that a name that resolves to a
//! private address gives no way into a private network.

use std::io;
use std::net::SocketAddr;

use daicho_app::is_private_address;
use reqwest::dns::{Addrs, Name, Resolve, Resolving};

/// A resolver that refuses names of private addresses.
pub(crate) struct OpenNetwork;

impl Resolve for OpenNetwork {
    fn resolve(&self, name: Name) -> Resolving {
        Box::pin(async move {
            let found = tokio::net::lookup_host((name.as_str(), 0)).await?;
            let open: Vec<SocketAddr> = found.filter(|a| !is_private_address(a.ip())).collect();
            if open.is_empty() {
                let text = format!("{} is an address in a private network", name.as_str());
                return Err(io::Error::new(io::ErrorKind::PermissionDenied, text).into());
            }
            Ok(Box::new(open.into_iter()) as Addrs)
        })
    }
}
