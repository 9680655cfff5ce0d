//! TLS to the server: asked for by the URL, with a certificate that is checked against the
//! authority that the URL names.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use daicho_test_servers::PostgresServer;

use crate::market::Market;
use crate::support::Ran;

/// What a certificate is good for.
const AUTHORITY: &str = "[req]\ndistinguished_name = name\nx509_extensions = authority\n[name]\n\
                         [authority]\nbasicConstraints = critical,CA:TRUE\n\
                         subjectKeyIdentifier = hash\n";
const SERVER: &str = "subjectAltName = IP:127.0.0.1\n";

/// Keys and certificates made with `openssl` in a folder of their own.
struct Papers<'a>(&'a Path);

impl Papers<'_> {
    fn path(&self, name: &str) -> PathBuf {
        self.0.join(name)
    }

    fn read(&self, name: &str) -> String {
        fs::read_to_string(self.path(name)).unwrap()
    }

    fn openssl(&self, args: &str) {
        let output = Command::new("openssl").args(args.split(' ')).current_dir(self.0).output();
        let output = output.expect("openssl is installed (Debian: openssl)");
        assert!(output.status.success(), "{args}: {}", String::from_utf8_lossy(&output.stderr));
    }

    fn make_key(&self, name: &str) {
        self.openssl(&format!("ecparam -genkey -name prime256v1 -noout -out {name}.ec"));
        self.openssl(&format!("pkcs8 -topk8 -nocrypt -in {name}.ec -out {name}.key"));
    }

    /// An authority that signs itself.
    fn make_authority(&self, name: &str) {
        self.make_key(name);
        fs::write(self.path("authority.cnf"), AUTHORITY).unwrap();
        let subject = format!("-subj /CN={name} -days 30 -config authority.cnf");
        self.openssl(&format!("req -x509 -new -key {name}.key -out {name}.crt {subject}"));
    }

    /// A server's certificate, signed by `authority`.
    fn make_server(&self, name: &str, authority: &str) {
        self.make_key(name);
        fs::write(self.path("extensions"), SERVER).unwrap();
        self.openssl(&format!("req -new -key {name}.key -subj /CN={name} -out {name}.csr"));
        let by = format!("-CA {authority}.crt -CAkey {authority}.key -CAcreateserial -days 30");
        self.openssl(&format!("x509 -req -in {name}.csr {by} -extfile extensions -out {name}.crt"));
    }
}

#[test]
fn a_server_is_reached_over_tls_and_one_with_a_wrong_certificate_is_not() {
    // Given a server whose certificate is signed by our authority, for 127.0.0.1
    let server = PostgresServer::private();
    let market = Market::on(&server);
    let folder = market.shop.path("papers");
    fs::create_dir(&folder).unwrap();
    let papers = Papers(&folder);
    papers.make_authority("ours");
    papers.make_authority("other");
    papers.make_server("server", "ours");
    let reach = |host: &str, options: &str| -> Ran {
        let url = market.url.replace("127.0.0.1", host);
        market.shop.daicho(&["--database", &format!("{url}?{options}"), "book", "list"])
    };
    let root = |authority: &str| papers.path(&format!("{authority}.crt")).display().to_string();
    let full = |authority: &str| format!("sslmode=verify-full&sslrootcert={}", root(authority));
    let ca = |authority: &str| format!("sslmode=verify-ca&sslrootcert={}", root(authority));

    // Without TLS it is reached only where that is not asked for
    reach("127.0.0.1", "sslmode=prefer").exits(0);
    reach("127.0.0.1", "sslmode=require").exits(1).complains("TLS");

    // With TLS it is reached by whoever trusts our authority, under the name it is made for
    server.restart_with_tls(&papers.read("server.crt"), &papers.read("server.key"));
    for options in ["sslmode=require", &ca("ours"), &full("ours")] {
        reach("127.0.0.1", options).exits(0);
    }
    reach("127.0.0.1", &ca("other")).exits(1).complains("certificate");
    reach("127.0.0.1", &full("other")).exits(1).complains("certificate");
    reach("localhost", &full("ours")).exits(1).complains("certificate");
    reach("localhost", &ca("ours")).exits(0);

    // And a book in it is served by all of its connections over TLS: the server takes no other
    reach("127.0.0.1", "sslmode=disable").exits(1).complains("no encryption");
    let url = format!("{}?{}", market.url, full("ours"));
    market.shop.daicho(&["--database", &url, "book", "create", "shop"]).exits(0);
    market.shop.daicho(&["--database", &url, "orders", "list"]).exits(0);
    market.shop.daicho(&["--database", &url, "verify"]).exits(0);
}
