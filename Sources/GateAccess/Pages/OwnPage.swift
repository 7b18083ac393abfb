import GateCore
import GateCrypto
package import GateHTTP
import NIOCore
package import NIOHTTP1

/// A small page of our own: it works without scripts, loads nothing, and goes into no frame.
package struct OwnPage: Sendable {
    package var title: String
    /// What stands in the middle of it.
    package var content: HTML
    /// Where its forms may lead besides its own origin: browsers hold redirects after a form to this too (CSP 3 §6.4.2).
    package var formOrigins: [String] = []

    package init(title: String, content: HTML) {
        self.title = title
        self.content = content
    }

    package func response(_ status: HTTPResponseStatus, headers: HTTPHeaders = [:]) -> Response {
        let document: HTML = """
            <!doctype html>
            <html lang="en">
            <head>
            <meta charset="utf-8">
            <meta name="viewport" content="width=device-width, initial-scale=1">
            <meta name="robots" content="noindex">
            <title>\(title)</title>
            <style>\(HTML(stringLiteral: Self.style))</style>
            </head>
            <body>
            <main>
            \(content)
            </main>
            </body>
            </html>

            """
        var headers = headers
        headers.replaceOrAdd(name: "content-type", value: "text/html; charset=utf-8")
        headers.replaceOrAdd(name: "cache-control", value: "no-store")
        headers.replaceOrAdd(name: "content-security-policy", value: contentSecurityPolicy)
        return Response(status, headers: headers, body: .bytes(ByteBuffer(string: document.text)))
    }

    private var contentSecurityPolicy: String {
        let targets = (["'self'"] + formOrigins).joined(separator: " ")
        return "default-src 'none'; style-src 'sha256-\(Self.styleHash)'; form-action \(targets); base-uri 'none'; frame-ancestors 'none'"
    }

    /// Contrasts are 4.5 : 1 or more in both colour schemes (WCAG 2.2 §1.4.3).
    private static let style = """
        :root{color-scheme:light dark;--ink:#1b1f24;--soft:#57606a;--paper:#fff;--ground:#f3f4f6;--line:#8c959f;--accent:#0b57d0;--alarm:#b3261e}
        @media (prefers-color-scheme:dark){:root{--ink:#e6edf3;--soft:#9ea7b3;--paper:#1c2128;--ground:#0d1117;--line:#6e7681;--accent:#8ab4f8;--alarm:#ffb4ab}}
        *{box-sizing:border-box}
        body{margin:0;min-height:100vh;display:grid;place-items:center;padding:1rem;background:var(--ground);color:var(--ink);font:1rem/1.5 system-ui,sans-serif}
        main{width:100%;max-width:24rem;padding:2rem;background:var(--paper);border-radius:.75rem;box-shadow:0 1px 4px rgb(0 0 0/.2)}
        h1{margin:0 0 1rem;font-size:1.5rem;line-height:1.2}
        p{margin:0 0 1rem;overflow-wrap:anywhere}
        label{display:block;margin:0 0 .25rem;font-weight:600}
        input{width:100%;margin:0 0 1rem;padding:.6rem .75rem;border:1px solid var(--line);border-radius:.4rem;background:var(--paper);color:inherit;font:inherit}
        button,.button{display:block;width:100%;padding:.65rem 1rem;border:0;border-radius:.4rem;background:var(--accent);color:var(--paper);font:inherit;font-weight:600;text-align:center;text-decoration:none;cursor:pointer}
        form+form,.button+form{margin-top:.75rem}
        .plain{background:none;color:var(--accent);border:1px solid var(--line)}
        :focus-visible{outline:3px solid var(--accent);outline-offset:2px}
        .alarm{padding:.6rem .75rem;border-left:4px solid var(--alarm);color:var(--alarm);font-weight:600}
        .soft{color:var(--soft);font-size:.875rem}
        """

    /// Base64 with padding, as CSP writes hashes.
    private static let styleHash =
        String(Base64URL.encode(SHA256.hash(Array(style.utf8))).map { $0 == "-" ? "+" : $0 == "_" ? "/" : $0 }) + "="
}
