extension Configuration.Limits {
    /// A policy of the operator's own, for sites to be limited by.
    package struct CustomPolicy: Equatable, Sendable {
        package var name: String
        package var limit = 0
        package var window = Duration.zero
        package var key = PolicySubject.user

        static let keys: [SettingKey<CustomPolicy>] = [
            SettingKey("limit", \.limit, .integer(1...1_000_000), "The most requests in any window."),
            SettingKey(
                "window", \.window, .duration(.seconds(1)...(.seconds(7 * 86_400))), "The window in which they are counted."),
            SettingKey("key", \.key, .choice(), "Whom they are counted for: user, network or session."),
        ]
    }

    /// Whom requests are counted for.
    package enum PolicySubject: String, CaseIterable, Sendable {
        /// The user, or the network of a request that nobody is signed in for.
        case user
        /// The IPv4 address or the IPv6 /64.
        case network
        /// The session, or the network of a request without one.
        case session
    }

    /// Up to 32 lower-case letters, digits and `-`: what goes into `RateLimit` as it is, and needs no quotes in TOML.
    static func isPolicyName(_ name: String) -> Bool {
        (1...32).contains(name.utf8.count)
            && name.utf8.allSatisfy {
                (UInt8(ascii: "a")...UInt8(ascii: "z")).contains($0) || (UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0)
                    || $0 == UInt8(ascii: "-")
            }
    }
}
