import GateCore

extension Configuration {
    static let redisKeys = [
        ConfigurationKey(
            "redis.timeout", \.redis.timeout, .duration(.milliseconds(10)...(.seconds(10))),
            "How long a request waits for Redis. The first that waits in vain makes this instance count the limits by itself, until Redis "
                + "answers in time again."),
        ConfigurationKey(
            "redis.connect_timeout", \.redis.connectTimeout, .duration(.milliseconds(100)...(.seconds(30))),
            "How long a connection to Redis may take to be made. No request waits for that."),
        ConfigurationKey(
            "redis.ca_file", \.redis.caFile, .optional(.path), example: "/etc/gatehouse/redis-ca.pem",
            "With rediss://: a PEM file with authorities that are trusted besides the system's."),
        ConfigurationKey(
            "redis.prefix", \.redis.prefix, .redisPrefix,
            "What stands in front of every key and channel. Installations that share a database of Redis need one each."),
        ConfigurationKey(
            "redis.sentinel_password", \.redis.sentinelPassword, .optional(.password), isSecret: true, derivedDefault: "none",
            "The password of the sentinels themselves, where they have one."),
    ]
}

extension ValueSyntax where Value == RedisURL {
    static var redisURL: ValueSyntax {
        .text("address of Redis", example: "redis://127.0.0.1:6379") { text throws(InvalidValue) in
            try RedisURL(text)
        } print: {
            $0.description
        }
    }
}

extension ValueSyntax where Value == String {
    fileprivate static var redisPrefix: ValueSyntax {
        .text("text", example: "gatehouse:") { text throws(InvalidValue) in
            guard text.utf8.count <= 64, text.utf8.allSatisfy({ (0x21...0x7E).contains($0) }) else {
                throw InvalidValue("is longer than 64 characters, or holds others than visible ASCII", cure: "write one such as gatehouse:")
            }
            return text
        } print: {
            $0
        }
    }
}

extension ValueSyntax where Value == Secret {
    fileprivate static var password: ValueSyntax {
        .text("secret", example: "…") { text throws(InvalidValue) in
            guard !text.isEmpty else { throw InvalidValue("is empty", cure: "leave it out") }
            return Secret(text)
        } print: { _ in
            "<redacted>"
        }
    }
}
