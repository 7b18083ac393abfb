package import GateCore
package import NIOHTTP1

/// Who stands behind trusted proxies, by what they say of it: `X-Forwarded-For`, `-Proto`, `-Host`, or `Forwarded` (RFC 7239).
package enum ForwardedHeaders {
    package struct Origin: Hashable, Sendable {
        /// The peer itself where nobody trusted says otherwise.
        package var client: IPAddress
        package var scheme: Request.Scheme?
        /// Lower case, with the port if one was given.
        package var host: String?
    }

    /// Whether a field of that name is one that ``origin(of:peer:trusted:)`` reads.
    package static func reads(_ name: UnsafeRawBufferPointer) -> Bool {
        switch name.count {
        case 9: Octet.matches(name, "forwarded")
        case 15: Octet.matches(name, "x-forwarded-for")
        case 16: Octet.matches(name, "x-forwarded-host")
        case 17: Octet.matches(name, "x-forwarded-proto")
        default: false
        }
    }

    private struct Hop {
        var client: IPAddress?
        var scheme: Request.Scheme?
        var host: String?
    }

    /// Walks from the peer backwards, as long as each hop is trusted: what stands further left was written by someone who is not.
    ///
    /// Most proxies set one of the two kinds of field and let the other through as the client sent it. With both there, they count
    /// only if they name the same client; otherwise the peer is taken for it.
    package static func origin(of headers: HTTPHeaders, peer: IPAddress, trusted: [IPNetwork]) -> Origin {
        func isTrusted(_ address: IPAddress) -> Bool { trusted.contains { $0.contains(address) } }
        guard isTrusted(peer) else { return Origin(client: peer) }
        let extended = hops(xForwarded: headers)
        let standard = hops(forwarded: headers)
        guard let hops = extended ?? standard else { return Origin(client: peer) }
        let origin = walk(hops, peer: peer, isTrusted)
        if extended != nil, let standard, walk(standard, peer: peer, isTrusted).client != origin.client { return Origin(client: peer) }
        return origin
    }

    private static func walk(_ hops: [Hop], peer: IPAddress, _ isTrusted: (IPAddress) -> Bool) -> Origin {
        var origin = Origin(client: peer)
        for hop in hops.reversed() where isTrusted(origin.client) {
            origin.scheme = hop.scheme ?? origin.scheme
            origin.host = hop.host ?? origin.host
            // An address that cannot be read (`unknown`, `_hidden`) ends what is known: its sender is the last that has a name.
            guard let client = hop.client else { break }
            origin.client = client
        }
        return origin
    }

    /// The lists of `X-Forwarded-Proto` and `-Host` go hop by hop with `-For` where they are as long as it; else only the nearest
    /// proxy's value counts.
    private static func hops(xForwarded headers: HTTPHeaders) -> [Hop]? {
        let clients = list(headers, "x-forwarded-for")
        let schemes = list(headers, "x-forwarded-proto")
        let hosts = list(headers, "x-forwarded-host")
        guard !clients.isEmpty || !schemes.isEmpty || !hosts.isEmpty else { return nil }
        var hops = clients.map { Hop(client: address($0)) }
        if hops.isEmpty { hops = [Hop()] }
        if schemes.count == hops.count {
            for index in hops.indices { hops[index].scheme = scheme(schemes[index]) }
        } else if let nearest = schemes.last {
            hops[hops.count - 1].scheme = scheme(nearest)
        }
        if hosts.count == hops.count {
            for index in hops.indices { hops[index].host = host(hosts[index]) }
        } else if let nearest = hosts.last {
            hops[hops.count - 1].host = host(nearest)
        }
        return hops
    }

    private static func hops(forwarded headers: HTTPHeaders) -> [Hop]? {
        let fields = headers["forwarded"]
        guard !fields.isEmpty else { return nil }
        return fields.flatMap { split($0, at: ",") }.map { element in
            var hop = Hop()
            for pair in split(element, at: ";") {
                guard let equals = pair.firstIndex(of: "=") else { continue }
                let value = unquoted(trimmed(pair[pair.index(after: equals)...]))
                switch trimmed(pair[..<equals]).lowercased() {
                case "for": hop.client = address(value)
                case "proto": hop.scheme = scheme(value)
                case "host": hop.host = host(value)
                default: break
                }
            }
            return hop
        }
    }

    private static func list(_ headers: HTTPHeaders, _ name: String) -> [String] {
        headers[name].flatMap { $0.split(separator: ",", omittingEmptySubsequences: false) }.map { String(trimmed($0)) }
    }

    /// Splits outside of quoted strings (RFC 9110 §5.6.4).
    private static func split(_ text: some StringProtocol, at separator: Character) -> [Substring] {
        var parts: [Substring] = []
        let text = Substring(text)
        var start = text.startIndex
        var isQuoted = false
        var isEscaped = false
        for index in text.indices {
            let character = text[index]
            if isEscaped {
                isEscaped = false
            } else if isQuoted, character == "\\" {
                isEscaped = true
            } else if character == "\"" {
                isQuoted.toggle()
            } else if character == separator, !isQuoted {
                parts.append(text[start..<index])
                start = text.index(after: index)
            }
        }
        parts.append(text[start...])
        return parts
    }

    private static func unquoted(_ text: Substring) -> String {
        guard text.count >= 2, text.first == "\"", text.last == "\"" else { return String(text) }
        var value = ""
        var isEscaped = false
        for character in text.dropFirst().dropLast() {
            if character == "\\", !isEscaped {
                isEscaped = true
            } else {
                value.append(character)
                isEscaped = false
            }
        }
        return value
    }

    private static func trimmed(_ text: Substring) -> Substring {
        var rest = text
        while let first = rest.first, first == " " || first == "\t" { rest.removeFirst() }
        while let last = rest.last, last == " " || last == "\t" { rest.removeLast() }
        return rest
    }

    /// `192.0.2.1`, `192.0.2.1:4711`, `2001:db8::1`, `[2001:db8::1]`, `[2001:db8::1]:4711`.
    private static func address(_ text: String) -> IPAddress? {
        if let address = IPAddress(text) { return address }
        guard let colon = text.lastIndex(of: ":"), text[text.index(after: colon)...].allSatisfy(\.isNumber) else { return nil }
        let host = text[..<colon]
        guard host.hasSuffix("]") || !host.contains(":") else { return nil }
        return IPAddress(host)
    }

    private static func scheme(_ text: String) -> Request.Scheme? { Request.Scheme(rawValue: text.lowercased()) }

    private static func host(_ text: String) -> String? {
        let isHost =
            !text.isEmpty
            && text.utf8.allSatisfy { octet in
                switch octet {
                case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"), UInt8(ascii: "0")...UInt8(ascii: "9"):
                    true
                default: "-._:[]".utf8.contains(octet)
                }
            }
        return isHost ? text.lowercased() : nil
    }
}
