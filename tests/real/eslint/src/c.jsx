export const List = ({ items }) => items.map((i) => <li>{i}</li>);
