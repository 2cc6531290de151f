export default function Home({ items }) {
  return <main><h1>Built</h1><ul>{items.map((i) => <li key={i}>{i}</li>)}</ul></main>;
}

export async function getStaticProps() {
  return { props: { items: ["one", "two"] } };
}
