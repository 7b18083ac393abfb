import GateCore
import GateHTTP

extension Configuration {
    static let tlsKeys = [
        ConfigurationKey(
            "tls.mode", \.tls.mode, .choice(),
            derivedDefault: "acme where acme.email is set and public_url is https, files where tls.certificate is set, else off",
            "Where certificates come from: acme (ordered and renewed by itself), files (tls.certificate and tls.key), self-signed (for "
                + "development; browsers warn), or off: no HTTPS here, because something in front of this server does it."),
        ConfigurationKey(
            "tls.certificate", \.tls.certificates, .list(of: .path),
            "For tls.mode = files: the certificate in PEM form, followed by its chain. Several for several names. Files that change are "
                + "read again by themselves."),
        ConfigurationKey(
            "tls.key", \.tls.keys, .list(of: .path),
            "The private key of tls.certificate in PEM form, without a passphrase; as many as there are certificates, in their order."),
        ConfigurationKey(
            "tls.min_version", \.tls.minVersion, .choice(), "The oldest version of TLS that is spoken: 1.2 or 1.3."),
        ConfigurationKey(
            "tls.redirect", \.tls.redirect, .bool,
            "Whether listen.http sends requests to HTTPS (308). Challenges and health calls are answered there in any case."),
        ConfigurationKey(
            "tls.handshake_timeout", \.tls.handshakeTimeout, .duration(.milliseconds(100)...(.seconds(600))),
            "How long a TLS handshake may take."),
    ]

    static let acmeKeys = [
        ConfigurationKey(
            "acme.email", \.acme.email, .optional(.contact), aliases: ["ACME_EMAIL"], example: "admin@example.com",
            "Where the authority may write to about the certificates. Ordering from an authority means agreeing to its terms of "
                + "service."),
        ConfigurationKey(
            "acme.domains", \.acme.domains, .list(of: .certificateName), aliases: ["DOMAIN"],
            derivedDefault: "the host of public_url, and those of the sites", example: "app.example.com",
            "The names that certificates are ordered for. The host of public_url has to be among them."),
        ConfigurationKey(
            "acme.certificates", \.acme.certificates, .choice(),
            "per-name: a certificate for each name, so that one whose DNS is wrong does not hold up the others; or one: a single "
                + "certificate for all of them."),
        ConfigurationKey(
            "acme.directory", \.acme.directory, .directory,
            "The authority: the address of its ACME directory (RFC 8555)."),
        ConfigurationKey(
            "acme.ca_file", \.acme.caFile, .optional(.path), example: "/etc/gatehouse/authority.pem",
            "Certificates in PEM form with which the authority's own server is verified, besides the system's; for a private "
                + "authority."),
        ConfigurationKey(
            "acme.staging_directory", \.acme.stagingDirectory, .optional(.directory),
            derivedDefault: "Let's Encrypt's staging environment where acme.directory is Let's Encrypt, else none",
            example: ACME.letsEncryptStaging.description,
            "A directory for dry runs: after a failure, an order is tried there until it succeeds, so that the authority's limits are "
                + "not used up. Write an empty text for none."),
        ConfigurationKey(
            "acme.fallback_directory", \.acme.fallbackDirectory, .optional(.directory),
            example: "https://acme.example.org/directory",
            "A second authority, asked where the first one fails for long."),
        ConfigurationKey(
            "acme.key_type", \.acme.keyType, .choice(), "The key of a certificate: p256, rsa2048, rsa3072 or rsa4096."),
        ConfigurationKey(
            "acme.preferred_chain", \.acme.preferredChain, .optional(.label), example: "ISRG Root X1",
            "The common name of the root that the chain shall lead to, where the authority offers several."),
        ConfigurationKey(
            "acme.profile", \.acme.profile, .optional(.label), example: "shortlived",
            "The authority's profile to order by, where it has several."),
        ConfigurationKey(
            "acme.challenges", \.acme.challenges, .list(of: .choice()),
            "How names are proved, in order of preference: http-01 (port 80) and tls-alpn-01 (port 443)."),
        ConfigurationKey(
            "acme.eab_key_id", \.acme.externalAccount.keyID, .optional(.label), example: "kid-1",
            "The key identifier of an account at acme.directory, where that authority wants one (external account binding)."),
        ConfigurationKey(
            "acme.eab_hmac_key", \.acme.externalAccount.hmacKey, .optional(.macKey), isSecret: true,
            "The key that belongs to acme.eab_key_id, as the authority shows it (base64url)."),
        ConfigurationKey(
            "acme.fallback_eab_key_id", \.acme.fallbackExternalAccount.keyID, .optional(.label), example: "kid-1",
            "The key identifier of an account at acme.fallback_directory, where that authority wants one (external account binding)."),
        ConfigurationKey(
            "acme.fallback_eab_hmac_key", \.acme.fallbackExternalAccount.hmacKey, .optional(.macKey), isSecret: true,
            "The key that belongs to acme.fallback_eab_key_id, as the authority shows it (base64url)."),
    ]
}
