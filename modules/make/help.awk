# Prints "target  text" for every `target: ... ## text`, under its `##@ Group`.
/^##@ / {
	group = substr($0, 5)
	if(!(group in seen)) {
		seen[group] = 1
		order[++groups] = group
	}
}
/^[a-zA-Z0-9_-]+:.*## / {
	split($0, part, ":")
	text = $0
	sub(/^.*## /, "", text)
	lines[group] = lines[group] sprintf("  %-18s %s\n", part[1], text)
}
END {
	for(i = 1; i <= groups; i++)
		printf "%s\n%s\n", order[i], lines[order[i]]
}
